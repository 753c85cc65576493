#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of MQTT 3.1, 3.1.1 and 5.0, ours and mosquitto's, against our broker and mosquitto's."""
import itertools
import socket

from clients import MARKER
from mosquitto import Mosquitto
from processes import HERMOD, PATIENCE_S, ProcessTest, main, require

VERSIONS = ("31", "311", "5")
PROPERTIES = (
    "content-type", "text/plain", "response-topic", "re/ply", "correlation-data", "id-7",
    "payload-format-indicator", "1", "message-expiry-interval", "3600")
FORMAT = "%t|%p|%q|%C|%R|%D|%F|%P|%S"
EXPECTED = "a/b|hello|1|text/plain|re/ply|id-7|1|k:v k:w l:|7"


def property_options(command="publish"):
    options = []
    for name, value in zip(PROPERTIES[::2], PROPERTIES[1::2]):
        options += ["-D", command, name, value]
    for name, value in (("k", "v"), ("k", "w"), ("l", "")):
        options += ["-D", command, "user-property", name, value]
    return options


class AgainstBoth(ProcessTest):
    """Each test runs against both brokers."""

    def each_broker(self):
        for name in ("hermod", "mosquitto"):
            broker = (self.start_broker() if name == "hermod" else
                      self.start(directory=self.directory, kind=Mosquitto))
            self.at = ["-h", "127.0.0.1", "-p", broker.mqtt]
            with self.subTest(broker=name):
                yield name
            broker.close()

    def program(self, client, action):
        return [HERMOD, action] if client == "hermod" else [require(f"mosquitto_{action}")]

    def subscribe(self, client, *options):
        """A subscriber that has subscribed. Ours says so; mosquitto's shows a retained message of
        its last topic."""
        command = [*self.program(client, "sub"), *self.at, *options]
        if client == "hermod":
            subscriber = self.start(*command, "-d")
            subscriber.wait_for("^Subscribed", stream="stderr")
        else:
            self.publish("mosquitto", "-t", MARKER, "-m", "all-subscribed", "-r")
            subscriber = self.start(*command, "-t", MARKER)
            subscriber.wait_for("all-subscribed")
        return subscriber

    def publish(self, client, *options, status=0):
        return self.finish(*self.program(client, "pub"), *self.at, *options, status=status)

    def test_every_version_and_qos_to_every_version(self):
        for _ in self.each_broker():
            subscribers = {version: self.subscribe("hermod", "-t", "t", "-q", "2", "-V", version,
                                                   "-F", "%p %q")
                           for version in VERSIONS}
            expected = []
            for version, qos in itertools.product(VERSIONS, (0, 1, 2)):
                self.publish("hermod", "-t", "t", "-m", f"{version}-{qos}", "-q", qos,
                             "-V", version)
                expected.append(f"{version}-{qos} {qos}")
            for subscriber in subscribers.values():
                self.assertEqual(subscriber.wait_lines(len(expected)), expected)
                subscriber.close()

    def test_properties_arrive_in_every_mix(self):
        for _ in self.each_broker():
            for publisher, client in itertools.product(("hermod", "mosquitto"), repeat=2):
                with self.subTest(publisher=publisher, subscriber=client):
                    subscriber = self.subscribe(
                        client, "-t", "a/+", "-q", "1", "-V", "5", "-F", FORMAT,
                        "-D", "subscribe", "subscription-identifier", "7")
                    self.publish(publisher, "-t", "a/b", "-m", "hello", "-q", "1", "-V", "5",
                                 *property_options())
                    subscriber.wait_for("^" + EXPECTED.replace("|", "\\|") + "$")
                    subscriber.close()

    def test_a_kept_session_of_every_version(self):
        for _ in self.each_broker():
            for version in VERSIONS:
                me = ["-i", f"kept-{version}", "-c", "-V", version, "-t", "k", "-q", "1"]
                self.finish(*self.program("hermod", "sub"), *self.at, *me, "-E")
                for text in ("1", "2"):
                    self.publish("hermod", "-t", "k", "-m", text, "-q", "1", "-V", version)
                missed = self.finish(*self.program("hermod", "sub"), *self.at, *me, "-C", "2")
                self.assertEqual(missed, "1\n2\n")

    def test_a_session_that_expires_with_its_end(self):
        for _ in self.each_broker():
            me = ["-i", "brief", "-c", "-V", "5", "-t", "k", "-q", "1"]
            sub = [*self.program("hermod", "sub"), *self.at]
            self.finish(*sub, *me, "-x", "100", "-E", "-D", "disconnect",
                        "session-expiry-interval", "0")
            self.publish("hermod", "-t", "k", "-m", "lost", "-q", "1")
            again = self.start(*sub, *me, "-C", "1", "-d")
            again.wait_for("^Subscribed", stream="stderr")
            self.publish("hermod", "-t", "k", "-m", "seen", "-q", "1")
            again.wait()
            self.assertEqual(again.text(), "seen\n")

    def test_a_will_has_properties(self):
        for _ in self.each_broker():
            watcher = self.subscribe("hermod", "-t", "a/b", "-q", "1", "-V", "5", "-F", FORMAT,
                                     "-D", "subscribe", "subscription-identifier", "7")
            lost = self.subscribe("hermod", "-t", "x", "-V", "5", "--will-topic", "a/b",
                                  "--will-payload", "hello", "--will-qos", "1",
                                  *property_options("will"))
            lost.child.kill()
            watcher.wait_for("^" + EXPECTED.replace("|", "\\|") + "$")
            watcher.close()

    def test_many_messages_with_aliases_one_at_a_time(self):
        for _ in self.each_broker():
            subscriber = self.subscribe(
                "hermod", "-t", "many/#", "-q", "2", "-V", "5", "-F", "%t %p", "-D", "connect",
                "receive-maximum", "1", "-D", "connect", "topic-alias-maximum", "3")
            lines = "".join(f"{i}\n" for i in range(300)).encode()
            self.publish_lines(lines)
            self.assertEqual(subscriber.wait_lines(300), [f"many/x {i}" for i in range(300)])
            subscriber.close()

    def publish_lines(self, lines):
        self.finish(*self.program("hermod", "pub"), *self.at, "-t", "many/x", "-l", "-q", "2",
                    "-V", "5", "-D", "publish", "topic-alias", "1", stdin=lines)

    def test_repeated_messages(self):
        for _ in self.each_broker():
            subscriber = self.subscribe("hermod", "-t", "r", "-V", "5")
            self.publish("hermod", "-t", "r", "-m", "x", "-q", "1", "--repeat", "3",
                         "--repeat-delay", "0.01")
            self.publish("hermod", "-t", "r", "-m", "end")
            self.assertEqual(subscriber.wait_lines(4), ["x", "x", "x", "end"])
            subscriber.close()

    def test_retain_as_published(self):
        for _ in self.each_broker():
            subscriber = self.subscribe("hermod", "-t", "r", "-V", "5", "--retain-as-published",
                                        "-F", "%p %r")
            self.publish("hermod", "-t", "r", "-m", "x", "-r", "-V", "5")
            self.assertEqual(subscriber.wait_lines(1), ["x 1"])
            subscriber.close()


class Terms(ProcessTest):
    """What a broker does not take, in its own words."""

    def test_a_qos_above_the_maximum_is_refused_here(self):
        broker = self.start(directory=self.directory, kind=lambda *a, **k: Mosquitto(
            "max_qos 1", **k))
        refused = self.start(HERMOD, "pub", "-h", "127.0.0.1", "-p", broker.mqtt, "-t", "a", "-m",
                             "x", "-q", "2", "-V", "5")
        self.assertEqual(refused.wait(), 1)
        self.assertIn("QoS not supported", refused.text("stderr"))

    def test_retain_where_there_is_none(self):
        broker = self.start(directory=self.directory, kind=lambda *a, **k: Mosquitto(
            "retain_available false", **k))
        refused = self.start(HERMOD, "pub", "-h", "127.0.0.1", "-p", broker.mqtt, "-t", "a", "-m",
                             "x", "-r", "-V", "5")
        self.assertEqual(refused.wait(), 1)
        self.assertIn("Retain not supported", refused.text("stderr"))


class Resending(ProcessTest):
    """A client of MQTT 3.1, octet by octet, that takes its time to answer."""

    def test_a_message_without_answer_comes_again_with_dup(self):
        broker = self.start_broker("retry_interval 1")
        client = socket.create_connection(("127.0.0.1", broker.mqtt), timeout=PATIENCE_S)
        self.addCleanup(client.close)
        stream = client.makefile("rb")
        self.addCleanup(stream.close)
        client.sendall(b"\x10\x10\0\6MQIsdp\3\2\0\x3c\0\2me" b"\x82\6\0\1\0\1a\1")
        self.assertEqual(stream.read(9), b"\x20\2\0\0" b"\x90\3\0\1\1")
        self.finish(require("mosquitto_pub"), "-h", "127.0.0.1", "-p", broker.mqtt, "-q", "1", "-t",
                    "a", "-m", "x")
        self.assertEqual(stream.read(8), b"\x32\6\0\1a\0\1x")
        for _ in range(2):
            self.assertEqual(stream.read(8), b"\x3a\6\0\1a\0\1x")
        client.sendall(b"\x40\2\0\1")


if __name__ == "__main__":
    main()
