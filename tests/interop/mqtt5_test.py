#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""MQTT 5.0 beside 3.1.1 and 3.1, with mosquitto's clients: what only whole programs show."""
import itertools
import signal
import socket
import time

from clients import MARKER, BrokerTest, Subscriber
from processes import HERMOD, PATIENCE_S, ProcessTest, main, require

VERSIONS = ("5", "311", "31")
PROPERTIES = ("-D", "publish", "content-type", "text/plain",
              "-D", "publish", "response-topic", "answers/7",
              "-D", "publish", "correlation-data", "c-7",
              "-D", "publish", "payload-format-indicator", "1",
              "-D", "publish", "user-property", "b", "1",
              "-D", "publish", "user-property", "a", "2")


class Wire:
    """A connection of MQTT 5 octet by octet, for what mosquitto's clients do not take: aliases that
    are used, several subscription identifiers, retain handling, no local."""

    def __init__(self, port, properties=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.file = self.socket.makefile("rb")
        self.send(0x10, b"\0\4MQTT\5\2\0\0" + bytes([len(properties)]) + properties + b"\0\0")
        assert self.receive()[0] == 0x20

    def send(self, first, body):
        self.socket.sendall(bytes([first, len(body)]) + body)

    def receive(self):
        first, length = self.file.read(2)
        return first, self.file.read(length)

    def subscribe(self, topic, options=0, properties=b""):
        text = topic.encode()
        self.send(0x82, b"\0\1" + bytes([len(properties)]) + properties +
                  len(text).to_bytes(2, "big") + text + bytes([options]))
        assert self.receive()[0] == 0x90

    def close(self):
        self.file.close()
        self.socket.close()


class Mqtt5Test(BrokerTest):
    broker_lines = ("threads 2",)  # properties must cross shards too

    def wire(self, properties=b""):
        wire = Wire(self.broker.mqtt, properties)
        self.addCleanup(wire.close)
        return wire

    def client(self, version, *options):
        return self.subscribe("mosquitto", "-V", version, *options)

    def send(self, topic, message, *options, version="5"):
        self.publish("mosquitto", topic, message, "-V", version, *options)

    def kept(self, *options, version="5"):
        """What waits for a session that comes back, until the end that is published now."""
        self.send("end", "end", "-q", "1")
        client = self.start(*self.sub("mosquitto"), "-V", version, "-c", "-q", "1", *options)
        client.wait_for("^end", patience=20)
        return [line for line in client.text().splitlines() if not line.startswith("end")]


class Messages(Mqtt5Test):
    def test_properties_arrive_unaltered_in_order(self):
        clients = [self.client("5", "-i", f"reader-{number}", "-t", "p", "-q", "2",
                               "-F", "%t %p|%C|%R|%D|%F|%P") for number in range(4)]
        for qos in (0, 1, 2):
            self.send("p", f"q{qos}", "-q", qos, *PROPERTIES)
        for client in clients:  # QoS 0 says nothing of when it has arrived
            self.assertEqual(sorted(client.wait_lines(3)), [
                f"p q{qos}|text/plain|answers/7|c-7|1|b:1 a:2" for qos in (0, 1, 2)])

    def test_properties_of_retained_messages(self):
        self.send("kept/p", "x", "-r", *PROPERTIES)
        line = self.finish(*self.sub("mosquitto"), "-V", "5", "-t", "kept/#", "-C", "1",
                           "-F", "%t %p|%C|%R|%D|%F|%P|%r")
        self.assertEqual(line, "kept/p x|text/plain|answers/7|c-7|1|b:1 a:2|1\n")

    def test_every_mix_of_versions(self):
        clients = {version: self.client(version, "-t", "mix/+", "-q", "2", "-F", "%t %p %q")
                   for version in VERSIONS}
        sent = []
        for version, qos in itertools.product(VERSIONS, (0, 1, 2)):
            self.send(f"mix/{version}", f"{version}-{qos}", "-q", qos, version=version)
            sent.append(f"mix/{version} {version}-{qos} {qos}")
        for version, client in clients.items():
            with self.subTest(subscriber=version):
                # mosquitto_sub prints QoS 2 when it is released: others may come before it.
                self.assertEqual(sorted(client.wait_lines(len(sent))), sorted(sent))

    def test_aliases_in_both_directions(self):
        plain = self.client("311", "-t", "alias/#", "-F", "%t %p")
        named = self.client("5", "-D", "connect", "topic-alias-maximum", "2", "-t", "alias/#", "-F",
                            "%t %p %A")
        lines = [str(number) for number in range(20)]
        self.finish(*self.pub("mosquitto"), "-V", "5", "-t", "alias/lines", "-l", "-D", "publish",
                    "topic-alias", "5", stdin="\n".join(lines).encode())
        self.assertEqual(plain.wait_lines(20), [f"alias/lines {line}" for line in lines])
        self.assertRegex(named.wait_lines(1)[0], "^alias/lines 0 [12]$")
        wire = self.wire(b"\x22\0\1")
        wire.subscribe("w")
        self.send("w", "x")
        self.send("w", "y")
        self.assertEqual(wire.receive(), (0x30, b"\0\1w\3\x23\0\1x"))
        self.assertEqual(wire.receive(), (0x30, b"\0\0\3\x23\0\1y"))

    def test_a_request_finds_its_response(self):
        server = self.client("5", "-t", "requests", "-F", "%R %D %p")
        client = self.start(require("mosquitto_rr"), "-h", "127.0.0.1", "-p", self.broker.mqtt,
                            "-V", "5", "-t", "requests", "-e", "responses/1", "-m", "question",
                            "-D", "publish", "correlation-data", "c-1")
        topic, correlation, message = server.wait_lines(1)[0].split()
        self.assertEqual((topic, correlation, message), ("responses/1", "c-1", "question"))
        self.send(topic, "answer", "-D", "publish", "correlation-data", correlation)
        self.assertEqual(client.wait(), 0)
        self.assertEqual(client.text(), "answer\n")


class Subscriptions(Mqtt5Test):
    def test_identifiers_of_overlapping_subscriptions_come_together(self):
        client = self.client("5", "-t", "over/+", "-F", "%t %p %S", "-D", "subscribe",
                             "subscription-identifier", "7")
        wire = self.wire()
        wire.subscribe("over/a", 0, b"\x0b\7")
        wire.subscribe("over/+", 1, b"\x0b\7")
        wire.subscribe("over/#", 0, b"\x0b\x09")
        self.send("over/a", "x", "-q", "1")
        self.assertEqual(client.wait_lines(1), ["over/a x 7"])
        first, body = wire.receive()
        self.assertEqual((first, body[:10], body[17:]), (0x32, b"\0\6over/a\0\1", b"x"))
        self.assertEqual(sorted([body[12], body[14], body[16]]), [7, 7, 9])

    def test_no_local(self):
        wire = self.wire()
        wire.subscribe("own", 0x04)
        wire.send(0x30, b"\0\3own\0mine")
        self.send("own", "theirs")
        self.assertEqual(wire.receive(), (0x30, b"\0\3own\0theirs"))

    def test_retain_handling(self):
        kept = (0x31, b"\0\2rh\0kept")
        self.send("rh", "kept", "-r")
        wire = self.wire()
        wire.subscribe("rh", 0x20)  # never
        wire.subscribe("rh", 0x10)  # when it is new
        self.send("rh", "live")
        self.assertEqual(wire.receive(), (0x30, b"\0\2rh\0live"))
        wire.subscribe("rh", 0x00)
        self.assertEqual(wire.receive(), kept)
        new = self.wire()
        new.subscribe("rh", 0x10)
        self.assertEqual(new.receive(), kept)
        self.send("rh", "end")
        for client in (wire, new):
            self.assertEqual(client.receive(), (0x30, b"\0\2rh\0end"))

    def test_retain_as_published(self):
        as_published = self.client("5", "--retain-as-published", "-t", "r", "-F", "%p %r")
        plain = self.client("5", "-t", "r", "-F", "%p %r")
        self.send("r", "kept", "-r")
        self.send("r", "live")
        self.assertEqual(as_published.wait_lines(2), ["kept 1", "live 0"])
        self.assertEqual(plain.wait_lines(2), ["kept 0", "live 0"])

    def test_shared_subscriptions_get_no_retained_values(self):
        self.send("pool/old", "kept", "-r")
        member = self.client("5", "-t", "$share/g/pool/#", "-F", "%p")
        self.send("pool/new", "fresh")
        self.assertEqual(member.wait_lines(1), ["fresh"])

    def test_members_of_every_version_share_until_one_is_killed(self):
        members = [self.client(version, "-i", f"member-{version}", "-t", "$share/g/work/#", "-q",
                               "1", "-F", "%p") for version in ("5", "311", "31")]
        witness = self.client("5", "-t", "work/#", "-q", "1", "-F", "%p")
        lines = [str(number) for number in range(300)]
        self.finish(*self.pub("mosquitto"), "-V", "5", "-t", "work/a", "-q", "1", "-l",
                    stdin="\n".join(lines).encode())
        self.assertEqual(witness.wait_lines(300), lines)
        self.gathered(members, lines)
        for member in members:
            self.assertGreater(len(member.lines()), 0)
        members[0].signal(signal.SIGKILL)
        members[0].wait()
        more = [f"more-{number}" for number in range(100)]
        self.finish(*self.pub("mosquitto"), "-V", "311", "-t", "work/b", "-q", "1", "-l",
                    stdin="\n".join(more).encode())
        self.gathered(members[1:], more)

    def gathered(self, members, expected):
        """Every line has come to exactly one of the members."""
        wanted = set(expected)

        def found():
            for member in members:
                member._pump(time.monotonic() + 0.01)
            return [line for member in members for line in member.lines() if line in wanted]
        members[0].wait_until(lambda: len(found()) >= len(expected), f"{len(expected)} lines")
        self.assertEqual(sorted(found()), sorted(expected))


class Time(Mqtt5Test):
    def test_queued_messages_expire_and_say_what_is_left(self):
        session = ("-i", "sleeper", "-t", "late", "-t", "end", "-F", "%p %E")
        self.finish(*self.sub("mosquitto"), "-V", "5", "-c", "-q", "1", *session, "-E")
        for seconds in ("1", "3600"):
            self.send("late", f"for-{seconds}", "-q", "1", "-D", "publish",
                      "message-expiry-interval", seconds)
        self.send("late", "for-ever", "-q", "1")
        watch = self.start(*self.sub("mosquitto"), "-V", "5", "-t", "none", "-W", "2")
        self.assertEqual(watch.wait(), 27)  # two seconds have passed
        first, second = self.kept(*session)
        self.assertEqual(second.split()[0], "for-ever")
        message, left = first.split()
        self.assertEqual(message, "for-3600")
        self.assertLess(int(left), 3600)

    def test_retained_messages_expire(self):
        self.send("soon/gone", "x", "-r", "-D", "publish", "message-expiry-interval", "1")
        self.send("soon/stays", "y", "-r", "-D", "publish", "message-expiry-interval", "3600")
        watch = self.start(*self.sub("mosquitto"), "-V", "5", "-t", "none", "-W", "2")
        self.assertEqual(watch.wait(), 27)
        for version in VERSIONS:
            late = self.client(version, "-t", "soon/#", "-F", "%t %p")
            self.send("soon/live", "end")
            self.assertEqual(late.wait_lines(2), ["soon/stays y", "soon/live end"])

    def test_sessions_last_as_long_as_they_say(self):
        kept = ("-i", "kept", "-t", "s", "-t", "end")
        for expiry, expected in (("3600", ["while away"]), ("-1", ["while away"]), ("0", [])):
            with self.subTest(expiry=expiry):
                clean = self.start(*self.sub("mosquitto"), "-i", "kept", "-t", "none", "-E")
                self.assertEqual(clean.wait(), 0)
                self.finish(*self.sub("mosquitto"), "-V", "5", "-c", "-x", expiry, "-q", "1", *kept,
                            "-E")
                self.send("s", "while away", "-q", "1")
                if expected:
                    self.assertEqual(self.kept(*kept), expected)
                else:
                    back = self.start(*self.sub("mosquitto"), "-V", "5", "-c", "-q", "1", *kept,
                                      "-t", MARKER, kind=Subscriber)
                    back.wait_ready()
                    self.send("end", "end", "-q", "1")
                    self.assertEqual(back.wait_lines(1), ["end"])

    def test_a_session_of_a_second_is_forgotten(self):
        self.finish(*self.sub("mosquitto"), "-V", "5", "-c", "-x", "1", "-i", "brief", "-q", "1",
                    "-t", "b", "-E")
        self.send("b", "lost", "-q", "1")
        watch = self.start(*self.sub("mosquitto"), "-V", "5", "-t", "none", "-W", "3")
        self.assertEqual(watch.wait(), 27)
        back = self.start(*self.sub("mosquitto"), "-V", "5", "-c", "-i", "brief", "-q", "1", "-t",
                          "b", "-t", MARKER, kind=Subscriber)
        back.wait_ready()
        self.send("b", "live", "-q", "1")
        self.assertEqual(back.wait_lines(1), ["live"])

    def test_wills_wait_for_their_delay_or_the_end_of_the_session(self):
        witness = self.client("5", "-t", "will/#", "-F", "%p %P %E")
        will = ("-V", "5", "-t", "x", "--will-topic", "will/1", "--will-qos", "1", "-D", "will",
                "message-expiry-interval", "3600", "-D", "will", "user-property", "k", "v")
        late = self.client(*will[1:], "-c", "-x", "3600", "-i", "late", "--will-payload", "delayed",
                           "-D", "will", "will-delay-interval", "2")
        back = self.client(*will[1:], "-c", "-x", "3600", "-i", "back", "--will-payload", "never",
                           "-D", "will", "will-delay-interval", "3")
        ended = self.client(*will[1:], "-i", "ended", "--will-payload", "at-once", "-D", "will",
                            "will-delay-interval", "3600")
        for client in (late, back, ended):
            client.signal(signal.SIGKILL)
            client.wait()
        self.client("5", "-c", "-x", "3600", "-i", "back", "-t", "x")
        self.assertEqual(witness.wait_lines(2), ["at-once k:v 3600", "delayed k:v 3600"])
        watch = self.start(*self.sub("mosquitto"), "-V", "5", "-t", "none", "-W", "3")
        self.assertEqual(watch.wait(), 27)
        self.send("will/end", "end")
        self.assertEqual(witness.wait_lines(3)[2].split(), ["end"])


class Limits(BrokerTest):
    broker_lines = ("max_packet_size 1000", "max_keepalive 60", "max_inflight_messages 3")

    def test_a_long_keep_alive_is_shortened_or_refused(self):
        patient = self.subscribe("mosquitto", "-V", "5", "-k", "100", "-t", "k")
        self.publish("mosquitto", "k", "heard", "-V", "5", "-k", "65535")
        self.assertEqual(patient.wait_lines(1), ["heard"])
        refused = self.start(*self.pub("mosquitto"), "-V", "311", "-k", "100", "-t", "k", "-m", "x")
        self.assertNotEqual(refused.wait(), 0)
        self.assertIn("identifier rejected", refused.text("stderr"))

    def test_a_small_receive_maximum_loses_nothing(self):
        session = ("-V", "5", "-c", "-i", "narrow", "-q", "1", "-t", "n")
        self.finish(*self.sub("mosquitto"), *session, "-E")
        lines = [str(number) for number in range(100)]
        self.finish(*self.pub("mosquitto"), "-V", "5", "-t", "n", "-q", "1", "-l",
                    stdin="\n".join(lines).encode())
        back = self.finish(*self.sub("mosquitto"), *session, "-C", "100", "-D", "connect",
                           "receive-maximum", "1")
        self.assertEqual(back.splitlines(), lines)

    def test_what_a_client_does_not_take_is_left_out(self):
        small = self.subscribe("mosquitto", "-V", "5", "-t", "m", "-q", "1", "-D", "connect",
                               "maximum-packet-size", "100")
        self.publish("mosquitto", "m", "x" * 200, "-q", "1", "-V", "5")
        self.publish("mosquitto", "m", "fits", "-q", "1", "-V", "5")
        self.assertEqual(small.wait_lines(1), ["fits"])


class Elsewhere(BrokerTest):
    broker_lines = ("server_reference other.example:1884",)

    def test_a_broker_that_goes_down_names_another_one(self):
        wire = Wire(self.broker.mqtt)
        self.addCleanup(wire.close)
        client = self.subscribe("hermod", "-V", "5", "-t", "x")
        self.broker.stop()
        first, body = wire.receive()
        reference = b"other.example:1884"
        self.assertEqual((first, body[0]), (0xe0, 0x9c))
        self.assertIn(b"\x1c" + bytes([0, len(reference)]) + reference, body[2:])
        self.assertIn(b"This server is going down. Connect to the server that it names.", body)
        self.assertEqual(client.wait(), 1)
        self.assertIn("It names another server for -h and -p: other.example:1884",
                      client.text("stderr"))


class Refusals(ProcessTest):
    def refused(self, broker, program, *options):
        process = self.start(program, "pub" if program == HERMOD else "-d", "-h", "127.0.0.1", "-p",
                             broker.mqtt, "-t", "x", "-m", "x", *options)
        self.assertNotEqual(process.wait(), 0)
        return process.text() + process.text("stderr")

    def test_a_broker_that_has_moved_sends_everybody_away(self):
        broker = self.start_broker("server_reference other.example:1884", "server_moved true")
        text = self.refused(broker, HERMOD, "-V", "5")
        self.assertIn("has moved for good", text)
        self.assertIn("another server for -h and -p: other.example:1884", text)
        mosquitto_pub = require("mosquitto_pub")
        self.assertIn("Server moved", self.refused(broker, mosquitto_pub, "-V", "5"))
        self.assertIn("CONNACK (3)", self.refused(broker, mosquitto_pub, "-V", "311"))

    def test_nothing_is_retained(self):
        broker = self.start_broker("retain_available false")
        self.assertIn("Retain not supported", self.refused(broker, HERMOD, "-V", "5", "-r"))
        for version in ("5", "311", "31"):
            if version != "5":  # whose mosquitto_pub leaves the flag out by itself
                self.refused(broker, require("mosquitto_pub"), "-V", version, "-q", "1", "-r")
                broker.wait_for("is refused: The server keeps no retained messages", "stderr")
            self.finish(require("mosquitto_pub"), "-h", "127.0.0.1", "-p", broker.mqtt, "-t", "x",
                        "-m", "x", "-V", version, "-q", "1")


if __name__ == "__main__":
    main()
