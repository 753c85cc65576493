#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CoAP's resources with libcoap's client: bodies in blocks, conditions, the collection of topics
and their configurations, discovery, a listener's own settings; and what MQTT 5 sees of it."""
import tempfile
from pathlib import Path

from clients import BrokerTest
from processes import HERMOD, main, require


def text(value):
    """A short text of CBOR."""
    return bytes([0x60 + len(value)]) + value.encode()


def topic_map(name, *pairs):
    """application/core-pubsub+cbor with topic-name, resource-type, and small numbers."""
    out = bytes([0xA2 + len(pairs), 0]) + text(name) + b"\x02" + text("core.ps.data")
    for key, number in pairs:
        out += bytes([key, number]) if number < 24 else bytes([key, 0x18, number])
    return out


class CoapTest(BrokerTest):
    def request(self, method, path, *options):
        """What libcoap's client prints of the answer to a request."""
        process = self.start(require("coap-client-notls"), "-B", "10", "-m", method, *options,
                             f"coap://127.0.0.1:{self.broker.coap}{path}")
        self.assertEqual(process.wait(), 0, process.text("stderr"))
        return process.text() + process.text("stderr")


class CoapResources(CoapTest):
    def file_of(self, octets):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = Path(directory.name) / "body"
        path.write_bytes(octets)
        return str(path)

    def create(self, name, *pairs):
        return self.request("post", "/ps", "-t", "606", "-f",
                            self.file_of(topic_map(name, *pairs)))

    # --- blocks (RFC 7959) ---

    def test_bodies_in_blocks_go_both_ways(self):
        for number, size in enumerate(("16", "64", "256", "1024")):
            body = "".join(f"{i:07d}," for i in range(400))  # 3,200 octets
            listener = self.subscribe("mosquitto", "-t", f"put/{number}")
            self.coap("put", f"put/{number}", "-b", size, "-f", self.file_of(body.encode()))
            self.assertEqual(listener.wait_lines(1), [body])
            for options in ((), ("-b", size), ("-N",)):
                self.assertEqual(self.coap("get", f"put/{number}", *options).strip(), body)

    def test_large_values_of_mqtt_are_read_and_observed(self):
        body = "".join(f"{i:07d}," for i in range(1000))
        observer = self.observe("big")
        self.publish("mosquitto", "big", body, "-r")
        observer.wait_for(body)
        self.assertEqual(self.finish(HERMOD, "get", self.coap_url("big")), body)

    # --- methods and conditions ---

    def test_post_is_an_event_with_the_quality_that_it_asks_for(self):
        listener = self.subscribe("mosquitto", "-q", "2", "-t", "bell", "-F", "%q %r %p")
        for qos in ("0", "1", "2"):
            self.coap("post", f"bell?qos={qos}", "-e", "ring")
        self.coap("post", "bell", "-e", "ring")
        self.coap("post", "bell?retain=1", "-e", "kept", "-N")
        self.assertEqual(listener.wait_lines(5), ["0 0 ring", "1 0 ring", "2 0 ring", "1 0 ring",
                                                  "0 0 kept"])
        self.assertEqual(self.coap("get", "bell").strip(), "kept")

    def test_mqtt5_sees_format_expiry_and_properties(self):
        listener = self.subscribe("mosquitto", "-V", "5", "-t", "five", "-F", "%C %E %P %p")
        self.coap("put", "five?expiry=60&user.room=kitchen", "-t", "50", "-e", "{}")
        line, = listener.wait_lines(1)
        self.assertRegex(line, r"^application/json (60|59) room:kitchen \{\}$")

    def test_coap_sees_mqtt5s_format_and_expiry(self):
        self.publish("mosquitto", "five", "{}", "-V", "5", "-r", "-D", "publish", "content-type",
                     "application/json", "-D", "publish", "message-expiry-interval", "60")
        answer = self.finish(HERMOD, "get", "-v", self.coap_url("five"))
        verbose = self.start(HERMOD, "get", "--json", self.coap_url("five"))
        self.assertEqual(verbose.wait(), 0)
        self.assertIn("{}", answer)
        self.assertRegex(verbose.text(), r'"Content-Format": ?50')
        self.assertRegex(verbose.text(), r'"Max-Age": ?(60|59|58)')

    def test_conditions(self):
        self.assertEqual(self.coap("put", "if", "-O", "5", "-e", "first"), "")
        self.assertIn("4.12", self.coap("put", "if", "-O", "5", "-e", "second"))
        self.assertIn("4.12", self.coap("put", "if", "-O", "1,0x00", "-e", "second"))
        self.assertEqual(self.coap("put", "if", "-O", "1", "-e", "second"), "")
        self.assertEqual(self.coap("get", "if").strip(), "second")
        self.assertIn("4.12", self.coap("delete", "if", "-O", "1,0x00"))

    # --- the collection (draft-ietf-core-coap-pubsub-21) ---

    def test_a_topic_is_made_published_observed_and_ended(self):
        self.assertIn("core.ps.data", self.create("room/1", (3, 50)))
        self.assertIn("4.00", self.create("room/1"))
        self.assertIn("/ps/conf/room/1", self.request("get", "/ps"))
        self.assertIn("4.04", self.coap("get", "room/1"))  # half created
        self.assertIn("4.15", self.coap("put", "room/1", "-t", "60", "-e", "x"))
        self.assertEqual(self.coap("put", "room/1", "-t", "50", "-e", "21"), "")
        observer = self.start(HERMOD, "observe", "-w", self.coap_url("room/1"))
        observer.wait_for("21")
        self.publish("mosquitto", "room/1", "22", "-r", "-V", "5", "-D", "publish", "content-type",
                     "application/json")
        observer.wait_for("22")
        self.request("delete", "/ps/conf/room/1")
        self.assertEqual(observer.wait(), 4)  # the last notification is 4.04
        self.assertIn("4.04", self.coap("get", "room/1"))
        self.assertNotIn("room/1", self.request("get", "/ps"))

    def test_a_topic_has_so_many_observers_as_it_says(self):
        self.create("narrow", (6, 1))
        self.coap("put", "narrow", "-e", "1")
        first = self.start(HERMOD, "observe", "-w", self.coap_url("narrow"))
        first.wait_for("1")
        second = self.start(HERMOD, "observe", "-w", self.coap_url("narrow"))
        self.assertNotEqual(second.wait(), 0)  # 2.05 without Observe
        self.coap("put", "narrow", "-e", "2")
        first.wait_for("2")

    def test_topics_are_found_by_their_properties(self):
        self.create("json", (3, 50))
        self.create("cbor", (3, 60))
        body = self.file_of(b"\xa1\x03\x18\x3c")  # {3: 60}
        self.assertEqual(self.request("fetch", "/ps", "-t", "606", "-f", body).strip(),
                         "</ps/conf/cbor>")

    # --- discovery (RFC 6690) ---

    def test_discovery_shows_live_topics_filtered_and_in_pages(self):
        self.coap("put", "a/b", "-t", "50", "-e", "{}")
        self.publish("mosquitto", "c", "12345", "-r")
        everything = self.request("get", "/.well-known/core")
        self.assertIn('</ps>;rt="core.ps core.ps.coll";ct=40', everything)
        self.assertIn('</ps/data/a/b>;rt="core.ps.data";obs;sz=2;ct=50', everything)
        self.assertEqual(self.request("get", "/.well-known/core?href=/ps/data/c").strip(),
                         '</ps/data/c>;rt="core.ps.data";obs;sz=5')
        self.assertIn('rel="next"', self.request("get", "/ps?count=1"))
        found = self.finish(HERMOD, "discover", f"coap://127.0.0.1:{self.broker.coap}",
                            "rt=core.ps.data", "count=1")
        self.assertIn("/ps/data/a/b", found)
        self.assertIn("/ps/data/c", found)


class CoapListener(CoapTest):
    """What a listener's own settings change."""

    broker_lines = ("coap_alias emqx", "coap_alias ponte", "coap_max_actions 3")

    def test_paths_of_emqx_and_ponte_name_topics(self):
        self.request("post", "/ps/a/b?qos=1&retain=1&clientid=x", "-e", "by emqx's path")
        self.request("put", "/r/c", "-e", "by ponte's")
        self.assertEqual(self.request("get", "/ps/data/a/b").strip(), "by emqx's path")
        self.assertEqual(self.request("get", "/r/a/b").strip(), "by emqx's path")
        self.assertEqual(self.request("get", "/ps/c").strip(), "by ponte's")

    def test_who_publishes_too_fast_is_told_when_to_come_again(self):
        lines = "".join(f"{number}\n" for number in range(20)).encode()
        publisher = self.start(HERMOD, "pub", self.coap_url("fast"), "-l", stdin=lines)
        self.assertNotEqual(publisher.wait(), 0)
        self.assertIn("4.29", publisher.text("stderr"))


if __name__ == "__main__":
    main()
