#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""mosquitto_pub, mosquitto_sub and mosquitto_rr 2.0 against the broker: a row for each of their
options and properties, with what must come out, in every version that has it."""
import json
import signal
import unittest

from clients import MARK, MARKER, BrokerTest
from processes import main, require

ALL = ("31", "311", "5")
V5 = ("5",)


def d(command, name, *value):
    return ("-D", command, name, *value)


# name: (versions, options of mosquitto_sub, options of mosquitto_pub, lines that come)
# {t} is a topic of the row's own.
ROWS = {
    "-m -t -v": (ALL, ("-v",), ("-m", "x"), ["{t}/a x"]),
    "-n": (ALL, ("-F", "%l<%p>"), ("-n",), ["0<>"]),
    "-q": (ALL, ("-q", "2", "-F", "%q %p"), ("-m", "x", "-q", "1"), ["1 x"]),
    "-q, the subscriber's": (ALL, ("-q", "1", "-F", "%q %p"), ("-m", "x", "-q", "2"), ["1 x"]),
    "-r": (ALL, ("-F", "%r %p"), ("-m", "x", "-r"), ["0 x"]),
    "-i": (ALL, ("-i", "row-sub",), ("-i", "row-pub", "-m", "x"), ["x"]),
    "-I": (ALL, ("-I", "row-",), ("-I", "row-", "-m", "x"), ["x"]),
    "-k": (ALL, ("-k", "30",), ("-k", "30", "-m", "x"), ["x"]),
    "-c": (ALL, ("-c", "-i", "row-kept", "-q", "1"), ("-m", "x", "-q", "1"), ["x"]),
    "-x": (V5, ("-x", "60", "-i", "row-x"), ("-m", "x"), ["x"]),
    "-A --nodelay": (ALL, ("-A", "127.0.0.1", "--nodelay"),
                     ("-A", "127.0.0.1", "--nodelay", "-m", "x"), ["x"]),
    "-u without a file": (ALL, ("-u", "somebody", "-P", "x"), ("-u", "any", "-m", "x"), ["x"]),
    "-T": (ALL, ("-T", "{t}/b", "-v"), ("-m", "x"), ["{t}/a x"]),
    "-U": (ALL, ("-U", "never/there"), ("-m", "x"), ["x"]),
    "-N": (ALL, ("-N", "-F", "%p;\\n"), ("-m", "x"), ["x;"]),
    "-R": (ALL, ("-F", "%p"), ("-m", "x"), ["x"]),
    "--repeat": (ALL, (), ("-m", "x", "--repeat", "3", "--repeat-delay", "0.01"), ["x"] * 3),
    "-F, plain": (ALL, ("-q", "2", "-F", "%t|%p|%l|%m|%q|%r|%x|%X|%%"),
                  ("-m", "Az", "-q", "2"), ["{t}/a|Az|2|1|2|0|417a|417A|%"]),
    "retain-as-published": (V5, ("--retain-as-published", "-F", "%r %p"), ("-m", "x", "-r"),
                            ["1 x"]),
    "publish content-type": (V5, ("-F", "%C"), (*d("publish", "content-type", "a/b"), "-m", "x"),
                             ["a/b"]),
    "publish response-topic": (V5, ("-F", "%R"), (*d("publish", "response-topic", "r/1"), "-m",
                                                  "x"), ["r/1"]),
    "publish correlation-data": (V5, ("-F", "%D"), (*d("publish", "correlation-data", "c 1"), "-m",
                                                    "x"), ["c 1"]),
    "publish payload-format-indicator": (
        V5, ("-F", "%F"), (*d("publish", "payload-format-indicator", "1"), "-m", "x"), ["1"]),
    "publish message-expiry-interval": (
        V5, ("-F", "%E"), (*d("publish", "message-expiry-interval", "100000"), "-m", "x"),
        ["100000"]),
    "publish user-property": (
        V5, ("-F", "%P"), (*d("publish", "user-property", "b", "1"),
                           *d("publish", "user-property", "a", "2"),
                           *d("publish", "user-property", "b", "3"), "-m", "x"), ["b:1 a:2 b:3"]),
    "publish topic-alias": (
        V5, ("-v",), (*d("publish", "topic-alias", "3"), "-m", "x", "--repeat", "2"),
        ["{t}/a x"] * 2),
    "subscribe subscription-identifier": (
        V5, (*d("subscribe", "subscription-identifier", "17"), "-F", "%S"), ("-m", "x"), ["17"]),
    "subscribe user-property": (V5, d("subscribe", "user-property", "k", "v"), ("-m", "x"), ["x"]),
    "unsubscribe user-property": (
        V5, ("-U", "never/there", *d("unsubscribe", "user-property", "k", "v")), ("-m", "x"),
        ["x"]),
    "connect user-property": (V5, d("connect", "user-property", "k", "v"),
                              (*d("connect", "user-property", "k", "v"), "-m", "x"), ["x"]),
    "connect receive-maximum": (
        V5, (*d("connect", "receive-maximum", "1"), "-q", "2"), ("-m", "x", "-q", "2",
                                                                 "--repeat", "4"), ["x"] * 4),
    "connect maximum-packet-size": (
        V5, d("connect", "maximum-packet-size", "1000"), ("-m", "x"), ["x"]),
    "connect topic-alias-maximum": (
        V5, (*d("connect", "topic-alias-maximum", "4"), "-F", "%A"), ("-m", "x"), ["[1-4]"]),
    "connect session-expiry-interval": (
        V5, (*d("connect", "session-expiry-interval", "9"), "-i", "row-expiry"), ("-m", "x"),
        ["x"]),
    "connect request-problem-information": (
        V5, d("connect", "request-problem-information", "0"),
        (*d("connect", "request-problem-information", "1"), "-m", "x", "-q", "1"), ["x"]),
    "connect request-response-information": (
        V5, d("connect", "request-response-information", "1"), ("-m", "x"), ["x"]),
    "disconnect session-expiry-interval": (
        V5, ("-x", "60", "-i", "row-end"),
        ("-i", "row-pub", "-x", "60", *d("disconnect", "session-expiry-interval", "5"), "-m", "x"),
        ["x"]),
    "disconnect user-property": (
        V5, (), (*d("disconnect", "user-property", "k", "v"), "-m", "x"), ["x"]),
}


class Options(BrokerTest):
    def test_every_row(self):
        for number, (name, (versions, sub, pub, lines)) in enumerate(ROWS.items()):
            for version in versions:
                topic = f"row/{number}/{version}"
                with self.subTest(name, version=version):
                    words = [word.replace("{t}", topic) for word in sub]
                    end = ""
                    if "-F" in words and not name.startswith("-"):
                        words[words.index("-F") + 1] += " %p"  # the marker must be seen
                        end = " x"
                    subscriber = self.subscribe("mosquitto", *words, "-V", version, "-t",
                                                f"{topic}/#")
                    if name == "-T":
                        self.publish("mosquitto", f"{topic}/b", "not shown")
                    self.finish(*self.pub("mosquitto"), "-V", version, "-t", f"{topic}/a", *pub)
                    expected = [line.replace("{t}", topic) + end for line in lines]
                    got = subscriber.wait_lines(len(expected))
                    if name.endswith("topic-alias-maximum"):
                        self.assertRegex(got[0], expected[0])
                    else:
                        self.assertEqual(got, expected)
                    subscriber.close()

    def test_json(self):
        for version in ALL:
            subscriber = self.start(*self.sub("mosquitto"), "-V", version, "-t", "json/+",
                                    "-F", "%j", "-q", "1", "-t", MARKER)
            subscriber.wait_for(MARK)
            properties = () if version != "5" else (
                *d("publish", "content-type", "text/x"), *d("publish", "user-property", "k", "v"),
                *d("publish", "response-topic", "r"), *d("publish", "correlation-data", "c"),
                *d("publish", "payload-format-indicator", "1"))
            self.publish("mosquitto", "json/a", 'say "hi"', "-q", "1", "-V", version, *properties)
            subscriber.wait_for(r"json/a.*\n")
            line = json.loads(subscriber.text().splitlines()[-1])
            self.assertEqual({key: line[key] for key in ("topic", "qos", "retain", "payload",
                                                         "payloadlen")},
                             {"topic": "json/a", "qos": 1, "retain": 0, "payload": 'say "hi"',
                              "payloadlen": 8})
            if version == "5":
                self.assertEqual(line["properties"], {
                    "content-type": "text/x", "response-topic": "r", "correlation-data": "c",
                    "payload-format-indicator": 1, "user-properties": {"k": "v"}})

    def test_inputs_of_mosquitto_pub(self):
        file = self.directory / "payload"
        file.write_bytes(b"of a file")
        for version in ALL:
            subscriber = self.subscribe("mosquitto", "-V", version, "-t", "in")
            # QoS 1: each has arrived before the next client comes.
            pub = [*self.pub("mosquitto"), "-V", version, "-q", "1", "-t", "in"]
            self.finish(*pub, "-f", file)
            self.finish(*pub, "-s", stdin=b"of stdin")
            self.finish(*pub, "-l", stdin=b"line 1\nline 2\n")
            self.finish(require("mosquitto_pub"), "-V", version, "-q", "1", "-m", "of a URL",
                        "-L", f"mqtt://127.0.0.1:{self.broker.mqtt}/in")
            self.assertEqual(subscriber.wait_lines(5),
                             ["of a file", "of stdin", "line 1", "line 2", "of a URL"])
            subscriber.close()

    def test_retained_values_of_mosquitto_sub(self):
        for version in ALL:
            topic = f"kept/{version}"
            for name in ("a", "b"):
                self.publish("mosquitto", f"{topic}/{name}", name, "-r", "-q", "1", "-V", version)
            sub = [*self.sub("mosquitto"), "-V", version, "-t", f"{topic}/+"]
            kept = self.finish(*sub, "-C", "2", "-F", "%r %p")
            self.assertEqual(sorted(kept.splitlines()), ["1 a", "1 b"])
            self.assertEqual(self.finish(*sub, "-W", "1", "-R", status=27), "")
            watcher = self.subscribe("mosquitto", "-V", version, "-t", f"{topic}/a", "-F", "%p:%l")
            removing = self.start(*sub, "--remove-retained", "-T", f"{topic}/b")
            removing.wait_for("^a$")
            self.assertEqual(watcher.wait_lines(2), ["a:1", ":0"])  # the second clears it
            removing.close()
            watcher.close()
            left = self.start(*sub, "--retained-only", "-F", "%r %p")
            left.wait_for("^1 b$")
            self.publish("mosquitto", f"{topic}/c", "live")
            self.assertEqual(left.wait(), 0)
            self.assertEqual(left.text(), "1 b\n")

    def test_unsubscribing_a_kept_session(self):
        for version in ALL:
            me = [*self.sub("mosquitto"), "-V", version, "-c", "-i", f"kept-{version}", "-q", "1"]
            self.finish(*me, "-t", "u/1", "-t", "u/2", "-E")
            self.finish(*me, "-t", "u/3", "-U", "u/1", "-E")
            for number in (1, 2, 3):
                self.publish("mosquitto", f"u/{number}", str(number), "-q", "1", "-V", version)
            self.assertEqual(self.finish(*me, "-t", "u/3", "-C", "2"), "2\n3\n")

    def test_wills(self):
        properties = (
            *d("will", "content-type", "a/b"), *d("will", "response-topic", "r"),
            *d("will", "correlation-data", "c"), *d("will", "payload-format-indicator", "1"),
            *d("will", "message-expiry-interval", "100000"),
            *d("will", "user-property", "k", "v"), *d("will", "will-delay-interval", "0"))
        for version in ALL:
            topic = f"will/{version}"
            watcher = self.subscribe("mosquitto", "-V", version, "-q", "2", "-t", topic, "-F",
                                     "%p %q %r" + (" %C %R %D %F %P" if version == "5" else ""))
            client = self.subscribe("mosquitto", "-V", version, "-t", "x", "--will-topic", topic,
                                    "--will-payload", "gone", "--will-qos", "2", "--will-retain",
                                    *(properties if version == "5" else ()))
            client.signal(signal.SIGKILL)
            more = " a/b r c 1 k:v" if version == "5" else ""
            self.assertEqual(watcher.wait_lines(1), [f"gone 2 0{more}"])
            self.assertEqual(self.finish(*self.sub("mosquitto"), "-t", topic, "-C", "1", "-F",
                                         "%p %r"), "gone 1\n")

    def test_request_and_response(self):
        for version in ("311", "5"):
            server = self.subscribe("mosquitto", "-V", version, "-t", "ask", "-q", "1", "-F",
                                    "%p" + (" %R %D %C" if version == "5" else ""))
            options = ("-D", "publish", "correlation-data", "c-1", "-D", "publish", "content-type",
                       "a/b") if version == "5" else ()
            client = self.start(require("mosquitto_rr"), "-h", "127.0.0.1", "-p", self.broker.mqtt,
                                "-V", version, "-t", "ask", "-e", "answer", "-m", "question",
                                "-q", "1", "-F", "%t %p", *options)
            more = " answer c-1 a/b" if version == "5" else ""
            self.assertEqual(server.wait_lines(1), [f"question{more}"])
            self.publish("mosquitto", "answer", "response", "-V", version)
            self.assertEqual(client.wait(), 0)
            self.assertEqual(client.text(), "answer response\n")
            server.close()


class Guarded(unittest.TestCase):
    def test_every_property_of_mosquitto_2_has_a_row(self):
        """The table of mosquitto_pub(1), but for AUTH and what other tests take (wills)."""
        named = {tuple(name.split()) for name in ROWS}
        for command, names in {
                "connect": "receive-maximum maximum-packet-size request-problem-information "
                           "request-response-information session-expiry-interval "
                           "topic-alias-maximum user-property",
                "publish": "content-type correlation-data message-expiry-interval "
                           "payload-format-indicator response-topic topic-alias user-property",
                "subscribe": "subscription-identifier user-property",
                "unsubscribe": "user-property",
                "disconnect": "session-expiry-interval user-property"}.items():
            for name in names.split():
                self.assertIn((command, name), named)


if __name__ == "__main__":
    main()
