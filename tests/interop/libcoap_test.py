#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""libcoap's client, message by message: what it logs of each one that it sends and gets. Large
notifications, FETCH and iPATCH, Echo, pings, tokens, No-Response, the end of an observation,
proxying."""
import re

from clients import BrokerTest
from processes import main, require

# v:1 t:ACK c:2.05 i:00ee {61626365} [ ETag:0x37f7cbfbf541 ] :: 'x'
MESSAGE = re.compile(r"^v:1 t:(\w+) c:(\S+) i:(\w+) \{(\w*)\} \[ ?(.*?) ?\](?: :: (.*))?$", re.M)
PUBSUB, CBOR = "606", "60"


def numbered(octets, name=""):
    """A long text without two equal parts."""
    return "".join(f"{name}{number:07d}," for number in range(octets // (8 + len(name))))


class Message:
    def __init__(self, words):
        self.type, self.code, self.id, self.token, options, self.payload = words
        self.options = options.split(", ") if options else []

    def __repr__(self):
        return f"{self.type} {self.code} {self.options} {self.payload}"


class Libcoap(BrokerTest):
    def client(self, method, path, *options):
        """libcoap's client, telling each message."""
        return self.start(require("coap-client-notls"), "-v", "7", "-m", method, *options,
                          f"coap://127.0.0.1:{self.broker.coap}{path}")

    def messages(self, client):
        """What it has sent and got."""
        return [Message(words) for words in MESSAGE.findall(client.text())]

    def got(self, client):
        return [one for one in self.messages(client)
                if one.code[0] in "245" or one.type in ("ACK", "RST") and one.code == "0.00"]

    def exchange(self, method, path, *options, patience="10"):
        """What a request got."""
        client = self.client(method, path, "-B", patience, *options)
        self.assertEqual(client.wait(), 0, client.text("stderr"))
        return self.got(client)

    def answer(self, method, path, *options):
        one, = self.exchange(method, path, *options)
        return one

    def file_of(self, name, octets):
        path = self.directory / name
        path.write_bytes(octets)
        return str(path)

    # --- blocks and addresses ---

    def test_large_notifications_are_fetched_in_blocks(self):
        value = "small at first"
        self.publish("mosquitto", "large", value, "-r", "-q", "1")
        for octets in (3000, 20000):
            observer = self.start(require("coap-client-notls"), "-s", "60", "-m", "get",
                                  self.coap_url("large"))
            # A newer value while it fetches the blocks of one confuses it.
            observer.wait_for(value)
            for name in ("a", "b", "c"):
                value = numbered(octets, name)
                self.publish("mosquitto", "large", value, "-r", "-q", "1")
                observer.wait_for(value)

    def test_large_answers_need_a_proven_address(self):
        value = numbered(20000)
        self.publish("mosquitto", "large", value, "-r", "-q", "1")
        target = str(self.directory / "got")
        got = self.exchange("get", "/ps/data/large", "-o", target)
        self.assertEqual((got[0].code, got[0].options[0][:5]), ("4.01", "Echo:"))
        self.assertEqual({one.code for one in got[1:]}, {"2.05"})
        self.assertIn("Block2:0/M/1024", got[1].options)  # proven, it gets large blocks
        self.assertEqual((self.directory / "got").read_text(), value)

    def test_answers_to_strangers_are_small(self):
        value = numbered(6000)
        self.publish("mosquitto", "middle", value, "-r", "-q", "1")
        got = self.exchange("get", "/ps/data/middle", "-o", str(self.directory / "got"))
        self.assertEqual((self.directory / "got").read_text(), value)
        self.assertEqual({one.code for one in got}, {"2.05"})
        self.assertRegex(" ".join(got[0].options), r"Block2:0/M/(16|32|64)\b")

    # --- methods ---

    def test_a_configuration_is_read_and_changed_in_parts(self):
        topic = b"\xa3\x00\x61t\x02\x6ccore.ps.data\x03\x18\x32"  # {0: "t", 2: ..., 3: 50}
        self.assertEqual(self.answer("post", "/ps", "-t", PUBSUB, "-f",
                                     self.file_of("topic", topic)).code, "2.01")
        keys = self.file_of("keys", b"\x83\x03\x06\x07")  # [3, 6, 7]
        target = self.directory / "part"
        for change, part in ((None, b"\xa1\x03\x18\x32"),
                             (b"\xa2\x06\x05\x07\x18\x3c", b"\xa3\x03\x18\x32\x06\x05\x07\x18\x3c"),
                             (b"\xa1\x06\x09", b"\xa3\x03\x18\x32\x06\x09\x07\x18\x3c")):
            if change is not None:
                self.assertEqual(self.answer("ipatch", "/ps/conf/t", "-t", PUBSUB, "-f",
                                             self.file_of("change", change)).code, "2.04")
            got = self.answer("fetch", "/ps/conf/t", "-t", CBOR, "-f", keys, "-o", str(target))
            self.assertEqual(got.code, "2.05")
            self.assertIn(f"Content-Format:{PUBSUB}", [one.replace("application/core-pubsub+cbor",
                                                                   PUBSUB) for one in got.options])
            self.assertEqual(target.read_bytes(), part)
        for method, fmt, body, code in (
                ("ipatch", PUBSUB, b"\xa1\x00\x61u", "4.00"), ("ipatch", CBOR, b"\xa0", "4.15"),
                ("fetch", PUBSUB, b"\x81\x03", "4.15"), ("fetch", CBOR, b"\x81", "4.00"),
                ("patch", PUBSUB, b"\xa0", "4.05")):
            with self.subTest(method=method, format=fmt):
                self.assertEqual(self.answer(method, "/ps/conf/t", "-t", fmt, "-f",
                                             self.file_of("body", body)).code, code)

    def test_parameters_are_checked(self):
        listener = self.subscribe("mosquitto", "-V", "5", "-q", "2", "-t", "p", "-F",
                                  "%q %r %E %P %p")
        for query in ("qos=3", "qos=", "retain=2", "expiry=soon", "qos=1&qos=2&qos=x"):
            with self.subTest(query=query):
                self.assertEqual(self.answer("put", f"/ps/data/p?{query}", "-e", "x").code, "4.00")
        self.assertEqual(self.answer(
            "post", "/ps/data/p?retain=1&qos=2&expiry=90&user.a=1&user.b=%C3%A4&user.a=2", "-e",
            "all").code, "2.01")
        self.assertRegex(listener.wait_lines(1)[0], r"^2 0 (90|8\d) a:1 b:ä a:2 all$")

    # --- messages (RFC 7252 §4) ---

    def test_a_ping_is_answered_by_a_reset(self):
        self.publish("mosquitto", "quiet", "x", "-r", "-q", "1")
        client = self.client("get", "/ps/data/quiet", "-s", "60", "-K", "1")
        client.wait_for(r"t:RST c:0\.00")
        ping, = [one for one in self.messages(client) if one.type == "CON" and one.code == "0.00"]
        reset, = [one for one in self.messages(client) if one.type == "RST"]
        self.assertEqual((reset.id, reset.token), (ping.id, ""))

    def test_tokens_come_back_and_non_is_answered_by_non(self):
        self.publish("mosquitto", "t", "x", "-r", "-q", "1")
        for token in ("a", "abcdefgh"):
            for options, kind in (((), "ACK"), (("-N",), "NON")):
                client = self.client("get", "/ps/data/t", "-B", "10", "-T", token, *options)
                self.assertEqual(client.wait(), 0)
                asked, got = self.messages(client)[0], self.messages(client)[-1]
                self.assertEqual((got.type, got.code), (kind, "2.05"))
                self.assertEqual((len(got.token), got.token), (2 * len(token), asked.token))

    def test_no_response_is_none(self):
        """RFC 7967 §2.1: 2 is about successes, 8 about errors of the client, 26 about all."""
        listener = self.subscribe("mosquitto", "-t", "n")
        silent = [("-N", "-O", "258,0x1a"), ("-N", "-O", "258,0x02")]
        for number, options in enumerate(silent):
            self.assertEqual(self.exchange("put", "/ps/data/n", "-e", str(number), *options,
                                           patience="1"), [])
        got = self.exchange("put", "/ps/data/n", "-e", "2", "-O", "258,0x1a", patience="1")
        self.assertEqual([(one.type, one.code) for one in got], [("ACK", "0.00")])
        self.assertEqual(listener.wait_lines(3), ["0", "1", "2"])
        self.assertEqual(self.answer("get", "/ps/data/none", "-N", "-O", "258,0x02").code, "4.04")
        self.assertEqual(self.answer("get", "/ps/data/n", "-N", "-O", "258,0x08").code, "2.05")

    # --- observing ---

    def test_what_is_deleted_is_observed_no_more(self):
        for delete in (lambda: self.answer("delete", "/ps/data/gone"),
                       lambda: self.publish("mosquitto", "gone", "", "-r", "-q", "1")):
            self.publish("mosquitto", "gone", "x", "-r", "-q", "1")
            client = self.client("get", "/ps/data/gone", "-s", "60")
            client.wait_for(r"c:2\.05.*Observe:\d+")
            delete()
            client.wait_for(r"c:4\.04")
            last = self.got(client)[-1]
            self.assertEqual(last.token, self.got(client)[0].token)
            self.assertFalse([one for one in last.options if one.startswith("Observe")])

    # --- what the broker is not ---

    def test_it_is_no_proxy(self):
        self.publish("mosquitto", "x", "x", "-r", "-q", "1")
        for options in (("-O", "35,coap://127.0.0.1/"), ("-O", "35,http://example/", "-N")):
            self.assertEqual(self.answer("get", "/ps/data/x", *options).code, "5.05")
        self.assertEqual(self.answer("get", "/ps/data/x", "-O", "9,0x01").code, "4.02")
        self.assertEqual(self.answer("get", "/ps/data/x", "-O", "65000,0x01").code, "2.05")


if __name__ == "__main__":
    main()
