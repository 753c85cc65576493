#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The command lines of the program: exit statuses, messages, output channels."""
import re
import signal
import socket

from clients import BrokerTest
from processes import HERMOD, PATIENCE_S, ProcessTest, free_port, main


class CommandLine(ProcessTest):
    def refused(self, *words, **options):
        """A wrong command line: status 2, nothing on stdout. Returns the first line of stderr."""
        process = self.start(HERMOD, *words, **options)
        self.assertEqual(process.wait(), 2, process.text("stderr"))
        self.assertEqual(process.text(), "")
        return process.text("stderr").splitlines()[0]

    def test_version_and_help(self):
        self.assertRegex(self.finish(HERMOD, "--version"), r"\Ahermod \d+\.\d+\.\d+\n\Z")
        for words in (("help",), ("--help",), ("help", "help")):
            self.assertIn("hermod serve", self.finish(HERMOD, *words))
        for command in ("serve", "pub", "sub", "rr", "passwd", "store", "get", "put", "post",
                        "delete", "fetch", "patch", "ipatch", "observe", "discover"):
            by_help = self.finish(HERMOD, "help", command)
            self.assertEqual(by_help, self.finish(HERMOD, command, "--help"))
            self.assertEqual(by_help, self.finish(HERMOD, command, "-?"))
            self.assertIn(f"hermod {command}", by_help)
        self.assertIn("max_queued_messages", self.finish(HERMOD, "help", "config"))
        self.assertIn("fan-out", self.finish(HERMOD, "help", "bench"))

    def test_unknown_commands(self):
        self.assertEqual(self.refused("srve"),
                         'hermod: there is no command "srve". Did you mean "serve"? Commands are '
                         "serve, pub, sub, rr, get, put, post, delete, fetch, patch, ipatch, "
                         "observe, discover, bench, passwd, store, help.")
        self.assertEqual(self.refused("help", "pup"),
                         'hermod help: there is no command "pup". Did you mean "pub"? Commands are '
                         "serve, pub, sub, rr, get, put, post, delete, fetch, patch, ipatch, "
                         "observe, discover, bench, passwd, store, help.")
        self.assertIn("Hermod", self.refused())

    def test_unknown_and_missing_options(self):
        self.assertEqual(self.refused("pub", "--retian"),
                         'hermod pub: there is no option --retian. Did you mean "--retain"?')
        self.assertEqual(self.refused("sub", "-t", "a", "--cafile", "x"),
                         
            "hermod sub: --cafile is not supported: there is no TLS yet, and nothing would be "
            "encrypted. Leave it out on a network that you trust, or connect to a program that "
            "adds TLS, such as stunnel, with -h and -p.")
        self.assertEqual(self.refused("pub", "-t", "a", "-m", "two", "words"),
                         'hermod pub: URL "words": there is no "://". The form is '
                         "mqtt://[user[:password]@]host[:port]/topic")
        self.assertIn("too many", self.refused("pub", "mqtt://h/a", "-m", "two", "words"))
        self.assertIn("-q", self.refused("sub", "-t", "a", "-q", "3"))
        self.assertIn("-p", self.refused("sub", "-t", "a", "-p", "0"))
        self.assertIn("-m", self.refused("pub", "-t", "a", "-m"))

    def test_what_belongs_together(self):
        wrong = {
            ("pub", "-t", "a"): "there is no message",
            ("pub", "-m", "x"): "there is no topic",
            ("pub", "-t", "a", "-m", "x", "-n"): "exclude each other",
            ("pub", "-t", "a/+", "-m", "x"): '"a/+" is not a topic: + and # are wildcards',
            ("pub", "mqtt://h/a", "-t", "b", "-m", "x"): "leave out -t",
            ("pub", "mqtt://h/a", "-h", "i", "-m", "x"): "leave out -h and -p",
            ("pub", "-t", "a", "-m", "x", "-P", "secret"): "-P needs a user name",
            ("pub", "-t", "a", "-m", "x", "--will-payload", "y"): "give --will-topic too",
            ("pub", "coap://h/a", "-m", "x", "-i", "me"): "CoAP has no counterpart of -i",
            ("sub",): "there is no topic",
            ("sub", "-t", "a/#/b"): '"a/#/b" is not a topic filter: # must stand alone',
            ("sub", "-t", "a", "-c"): "-c needs a client id",
            ("sub", "-t", "a", "-i", "x", "-I", "y"): "-i and -I exclude each other",
            ("sub", "-t", "a", "-V", "x"): '-V is "x", but must be mqttv5, mqttv311 or mqttv31',
            ("sub", "-t", "a", "-V", "311", "-x", "5"): "-D and -x belong to MQTT 5",
            ("sub", "-t", "a", "-D", "subscribe"): "not enough arguments specified",
            ("sub", "-t", "a", "-D", "connect", "content-type", "t"):
                "content-type property not allowed for connect in --property argument",
            ("sub", "-t", "a", "-F", "%Z"): '"%Z" is not a field',
            ("sub", "coap://h/a/#/b"): "is not a topic filter",
            ("sub", "mqtts://h/a"): '"mqtts://" is not supported yet',
            ("sub", "mqqt://h/a"): 'Did you mean "mqtt"?',
        }
        for words, text in wrong.items():
            with self.subTest(words=words):
                self.assertIn(text, self.refused(*words))

    def test_no_broker(self):
        port = free_port()
        for words in (("pub", "-m", "x"), ("sub",)):
            process = self.start(HERMOD, *words, "-h", "127.0.0.1", "-p", port, "-t", "a")
            self.assertEqual(process.wait(), 1)
            self.assertEqual(process.text("stderr"), (
                f"hermod {words[0]}: Connection refused: nothing listens on 127.0.0.1:{port}. Is "
                "the broker running? Start one with `hermod serve`.\n"))
        quiet = self.start(HERMOD, "sub", "-h", "127.0.0.1", "-p", port, "-t", "a", "--quiet")
        self.assertEqual(quiet.wait(), 1)
        self.assertEqual(quiet.text("stderr"), "")
        coap = self.start(HERMOD, "pub", f"coap://127.0.0.1:{port}/a", "-m", "x")
        self.assertEqual(coap.wait(), 1)
        self.assertIn("nothing listens on", coap.text("stderr"))

    def test_unknown_host(self):
        process = self.start(HERMOD, "sub", "mqtt://no-such-host.invalid/a")
        self.assertEqual(process.wait(), 1)
        self.assertIn("no-such-host.invalid", process.text("stderr"))

    def test_unreadable_file(self):
        process = self.start(HERMOD, "pub", "-t", "a", "-f", "/nonexistent")
        self.assertEqual(process.wait(), 1)
        self.assertEqual(process.text("stderr"),
                         'hermod pub: Cannot read the file "/nonexistent": No such file or '
                         "directory.\n")


class WithBroker(BrokerTest):
    def test_timeout_is_status_27(self):
        process = self.start(*self.sub("hermod"), "-t", "nothing", "-W", "0.2")
        self.assertEqual(process.wait(), 27)
        self.assertEqual(process.text("stderr"), "hermod sub: Timed out\n")
        self.assertEqual(process.text(), "")

    def test_interrupt_is_status_130_after_a_clean_end(self):
        witness = self.subscribe("hermod", "-t", "will")
        process = self.subscribe("hermod", "-t", "x", "-i", "me", "--will-topic", "will")
        process.signal(signal.SIGINT)
        self.assertEqual(process.wait(), 130)
        self.publish("hermod", "will", "the first")
        self.assertEqual(witness.wait_lines(1), ["the first"])

    def test_terminate_is_status_0(self):
        process = self.subscribe("hermod", "-t", "x")
        process.signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 0)

    def test_lines_of_an_empty_input(self):
        self.finish(*self.pub("hermod"), "-t", "x", "-l")

    def test_count_ends_with_status_0(self):
        process = self.subscribe("hermod", "-t", "n", "-C", "3")  # the marker is the first
        for text in ("a", "b", "c"):
            self.publish("hermod", "n", text)
        self.assertEqual(process.wait(), 0)
        self.assertEqual(process.lines(), ["a", "b"])

    def test_chatter_goes_to_stderr(self):
        process = self.start(*self.sub("hermod"), "-t", "d", "-d", "-i", "me", "-C", "1")
        process.wait_for("^Subscribed ", stream="stderr")
        self.publish("hermod", "d", "data")
        self.assertEqual(process.wait(), 0)
        self.assertEqual(process.text(), "data\n")
        for text in ("Client me sending CONNECT", "Client me received CONNACK (0)",
                     "Client me sending SUBSCRIBE (Mid: 1, Topic: d, QoS: 0, Options: 0x00)",
                     "Client me received SUBACK", "Subscribed (mid: 1): 0",
                     "Client me received PUBLISH (d0, q0, r0, m0, 'd', ... (4 bytes))",
                     "Client me sending DISCONNECT"):
            self.assertIn(text + "\n", process.text("stderr"))

    def test_urls_name_host_port_and_topic(self):
        base = f"mqtt://127.0.0.1:{self.broker.mqtt}"
        listener = self.start(HERMOD, "sub", f"{base}/Temperature/%2B/#", "-v", "-d")
        listener.wait_for("^Subscribed", stream="stderr")
        self.finish(HERMOD, "pub", "-L", f"{base}/Temperature/Kitchen/a%20b", "-m", "-34.5")
        self.finish(HERMOD, "pub", f"{base}/Temperature/Cellar", "-m", "--", "-u", "me", "-P", "pw")
        self.assertEqual(listener.wait_lines(2), ["Temperature/Kitchen/a b -34.5",
                                                  "Temperature/Cellar --"])

    def test_client_ids(self):
        self.finish(*self.pub("hermod"), "-t", "x", "-m", "y", "-I", "pre-")
        self.broker.wait_for(r"as pre-\d+", stream="stderr")
        self.finish(*self.pub("hermod"), "-t", "x", "-m", "y", "-i", "whole")
        self.broker.wait_for(r"as whole\b", stream="stderr")

    def test_the_own_address(self):
        self.finish(*self.pub("hermod"), "-t", "x", "-m", "y", "-A", "127.0.0.2", "-i", "here")
        self.broker.wait_for(r"from 127\.0\.0\.2:\d+ as here\b", stream="stderr")
        for address, text in (("192.0.2.1", "This machine has no address 192.0.2.1"),
                              ("::1", "::1 has no address of the kind that 127.0.0.1 needs")):
            process = self.start(*self.pub("hermod"), "-t", "x", "-m", "y", "-A", address)
            self.assertEqual(process.wait(), 1)
            self.assertIn(text, process.text("stderr"))

    def test_requests(self):
        """A responder made of `hermod sub`, and `hermod rr`."""
        asked = self.subscribe("hermod", "-V", "5", "-t", "ask", "-F", "%p %R %D")
        request = self.start(HERMOD, "rr", f"mqtt://127.0.0.1:{self.broker.mqtt}/ask", "-e",
                             "answer", "-m", "state", "-v", "-D", "publish", "correlation-data",
                             "7")
        self.assertEqual(asked.wait_lines(1), ["state answer 7"])
        self.publish("hermod", "answer", "on", "-D", "publish", "correlation-data", "7")
        self.assertEqual(request.wait(), 0)
        self.assertEqual(request.text(), "answer on\n")
        nobody = self.start(HERMOD, "rr", "-p", self.broker.mqtt, "-t", "ask", "-e", "answer", "-n",
                            "-W", "0.2")
        self.assertEqual(nobody.wait(), 27)

    def test_options_files(self):
        file = self.directory / "hermod_pub"
        file.write_text(f"# where\n-h 127.0.0.1\n-p {self.broker.mqtt}\n-q 1\n-m from a file\n")
        subscriber = self.subscribe("hermod", "-t", "o", "-q", "2", "-F", "%q %p")
        self.finish(HERMOD, "pub", "-t", "o", "-o", file)
        self.finish(HERMOD, "pub", "-t", "o", "-q", "2", environment={
            "XDG_CONFIG_HOME": str(self.directory)})
        self.assertEqual(subscriber.wait_lines(2), ["1 from a file", "2 from a file"])

    def test_lost_broker_ends_a_subscriber(self):
        process = self.subscribe("hermod", "-t", "x")
        self.broker.stop()
        self.assertEqual(process.wait(), 1)
        self.assertIn("closed the connection", process.text("stderr"))


class Mqtt31(ProcessTest):
    """A server of MQTT 3.1 that answers only what is sent again (MQTT 3.1 §2.1, §4.1)."""

    def exchange(self, words, first, again, answer):
        with socket.create_server(("127.0.0.1", 0)) as server:
            process = self.start(HERMOD, *words, "-h", "127.0.0.1", "-p", server.getsockname()[1],
                                 "-V", "mqttv31", "--resend", "1", "-q", "1", "-t", "a")
            server.settimeout(PATIENCE_S)
            with server.accept()[0] as client, client.makefile("rb") as packets:
                def receive():
                    head = packets.read(2)
                    return head + packets.read(head[1])
                self.assertEqual(receive()[2:11], b"\0\6MQIsdp\3")
                client.sendall(b"\x20\2\0\0")
                self.assertEqual([receive(), receive()], [first, again])
                client.sendall(answer)
                self.assertEqual(receive(), b"\xe0\0")
            self.assertEqual(process.wait(), 0, process.text("stderr"))

    def test_a_message_without_answer_is_sent_again(self):
        self.exchange(("pub", "-m", "x"), b"\x32\6\0\1a\0\1x", b"\x3a\6\0\1a\0\1x",
                      b"\x40\2\0\1")

    def test_a_subscription_without_answer_is_sent_again(self):
        self.exchange(("sub", "-E"), b"\x82\6\0\1\0\1a\1", b"\x8a\6\0\1\0\1a\1",
                      b"\x90\3\0\1\1")

    def test_only_there(self):
        process = self.start(HERMOD, "pub", "-t", "a", "-m", "x", "--resend", "1")
        self.assertEqual(process.wait(), 2)
        self.assertIn("--resend is for -V mqttv31", process.text("stderr"))


class Refusals(BrokerTest):
    def setUp(self):
        ProcessTest.setUp(self)
        self.broker = self.start_broker(anonymous=False)

    def test_anonymous_clients_are_refused_with_advice(self):
        self.assertIn("No client can connect: allow_anonymous is false",
                      self.broker.text("stderr"))
        for words in ([*self.pub("hermod"), "-m", "x"], self.sub("hermod")):
            process = self.start(*words, "-t", "a")
            self.assertEqual(process.wait(), 1)
            self.assertTrue(re.search(r"refused the connection: not authorized\. Give -u and -P",
                                      process.text("stderr")), process.text("stderr"))


if __name__ == "__main__":
    main()
