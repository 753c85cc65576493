#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""node-coap (npm's coap) against the broker: methods, conditions, validation, bodies in blocks,
observing, the collection of topics, and messages that cross from and to MQTT 5.

node-coap answers no Echo, which is done here, and shows no notification that comes in blocks: their
last one has no Observe, so it takes it for an old value."""
import hashlib
import os
from pathlib import Path

from clients import BrokerTest
from peers import Driver
from processes import main, require

GET, POST, PUT, DELETE, FETCH, IPATCH = "GET", "POST", "PUT", "DELETE", "FETCH", "iPATCH"
IF_MATCH, ETAG, IF_NONE_MATCH, OBSERVE, LOCATION, FORMAT, MAX_AGE = 1, 4, 5, 6, 8, 12, 14
ACCEPT, ECHO = 17, 252
JSON, CBOR, PUBSUB, LINKS = 50, 60, 606, 40
KIB = 1024


def hexadecimal(number):
    """A number as the octets of an option of format uint, in hexadecimal."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big").hex()


def body_of(octets):
    """Octets that are nowhere alike, so that no block can take the place of another."""
    rows = (hashlib.sha256(bytes([row >> 8, row & 255])).hexdigest() for row in range(octets // 64))
    return "".join(rows).encode().ljust(octets, b".")


class Client:
    """A socket of node-coap's, to the server one peer."""

    def __init__(self, driver, port):
        self.driver, self.name = driver, f"c{next(driver.names)}"
        self._ask("open", port=port)

    def _ask(self, command, **words):
        return self.driver.answer(self.driver.begin(self.name, command, **words))

    def begin(self, method, path, options=None, **words):
        """Sends a request: payload, con=0, query, token, block1, block2, observe; `options` are
        numbers with values: octets, texts of hexadecimal digits, numbers or lists of them."""
        for number, value in (options or {}).items():
            values = value if isinstance(value, list) else [value]
            texts = [hexadecimal(one) if isinstance(one, int) else
                     one.hex() if isinstance(one, bytes) else one for one in values]
            words[f"o{number}"] = ",".join(texts)
        return self.driver.begin(self.name, method, path=path, **words)

    def request(self, method, path, options=None, **words):
        """The answer: code, kind (ack, con, non), payload, and o<number> for each option."""
        return self.driver.answer(self.begin(method, path, options, **words))

    def observe(self, path, **words):
        """The number of the observation, and its first answer."""
        number = self.begin(GET, path, observe=1, **words)
        return number, self.driver.answer(number)

    def notified(self):
        return self.driver.event(self.name, "notified")

    def cancel(self, number):
        self._ask("cancel", of=number)

    def close(self):
        self.driver.begin(self.name, "close")


class NodeCoap(BrokerTest):
    driver = None  # one for all tests: node takes its time to start

    def setUp(self):
        super().setUp()
        if NodeCoap.driver is None:
            NodeCoap.driver = Driver(require("node"),
                                     Path(__file__).with_name("nodecoap_driver.js"),
                                     environment={"NODE_PATH": os.environ["HERMOD_NODE_MODULES"]})
        self.client = self.new()

    def new(self):
        client = Client(NodeCoap.driver, self.broker.coap)
        self.addCleanup(client.close)
        return client

    def ask(self, code, method, path, options=None, **words):
        """An answer that must have this code."""
        answer = self.client.request(method, path, options, **words)
        self.assertEqual(answer["code"], code, answer)
        return answer

    def ask_proven(self, code, method, path, options=None, **words):
        """As ask(), with the one detour of who has not yet proven its address (RFC 9175 §2.3)."""
        first = self.client.request(method, path, options, **words)
        self.assertEqual(first["code"], 401, first)
        return self.ask(code, method, path, {**(options or {}), ECHO: first[f"o{ECHO}"]}, **words)

    # --- methods ---

    def test_methods_confirmable_and_not(self):
        for con, kind in ((1, "ack"), (0, "non")):
            path = f"/ps/data/way/{kind}"
            listener = self.subscribe("mosquitto", "-q", "2", "-t", f"way/{kind}", "-F", "%q %p")
            for code, method, payload in ((404, GET, None), (201, PUT, "one"), (204, PUT, "two"),
                                          (204, POST, "event"), (205, GET, None),
                                          (202, DELETE, None), (202, DELETE, None),
                                          (404, GET, None)):
                answer = self.ask(code, method, path, con=con, payload=payload)
                self.assertEqual(answer["kind"], kind)
                if code == 205:
                    self.assertEqual(answer["payload"], b"two")  # an event is not kept
            self.assertEqual(listener.wait_lines(3),
                             [f"{con} {payload}" for payload in ("one", "two", "event")])

    def test_what_is_refused_says_why_by_its_code(self):
        self.ask(201, PUT, "/ps/data/kept", payload="x")
        for code, method, path, options in (
                (404, GET, "/other", {}), (404, GET, "/ps/data/none", {}),
                (404, GET, "/ps/conf/none", {}), (405, POST, "/.well-known/core", {}),
                (405, PUT, "/ps", {}), (405, FETCH, "/ps/data/kept", {}),
                (405, PUT, "/ps/data/a/+", {}), (400, PUT, "/ps/data/a/..", {}),
                (402, GET, "/ps/data/kept", {9: "aa"}),
                (505, GET, "/ps/data/kept", {35: "coap://example/".encode()}),
                (406, GET, "/ps/data/kept", {ACCEPT: JSON}),
                (415, POST, "/ps", {FORMAT: JSON}),
                (412, PUT, "/ps/data/kept", {IF_NONE_MATCH: ""}),
                (412, PUT, "/ps/data/kept", {IF_MATCH: "00"})):
            with self.subTest(code=code, method=method, path=path):
                self.ask(code, method, path, options, payload=None if method == GET else "x")
        # RFC 7252 §5.4.1: an unknown elective option (here 1000) changes nothing.
        self.ask(205, GET, "/ps/data/kept", {1000: "aa"})

    # --- validation and conditions (RFC 7252 §5.6.2, §5.10.8) ---

    def test_etags_validate(self):
        self.ask(201, PUT, "/ps/data/v", payload="one")
        etag = self.ask(205, GET, "/ps/data/v")[f"o{ETAG}"]
        valid = self.ask(203, GET, "/ps/data/v", {ETAG: etag})
        self.assertEqual((valid["payload"], valid[f"o{ETAG}"]), (b"", etag))
        self.ask(203, GET, "/ps/data/v", {ETAG: ["00", "0102030405060708", etag]})
        self.publish("mosquitto", "v", "two", "-r", "-q", "1")
        other = self.ask(205, GET, "/ps/data/v", {ETAG: etag})
        self.assertEqual(other["payload"], b"two")
        self.assertNotEqual(other[f"o{ETAG}"], etag)

    def test_conditions_are_met_or_nothing_happens(self):
        self.ask(201, PUT, "/ps/data/if", {IF_NONE_MATCH: ""}, payload="one")
        self.ask(412, PUT, "/ps/data/if", {IF_NONE_MATCH: ""}, payload="two")
        etag = self.ask(205, GET, "/ps/data/if")[f"o{ETAG}"]
        self.ask(204, PUT, "/ps/data/if", {IF_MATCH: ["00", etag]}, payload="three")
        self.ask(412, PUT, "/ps/data/if", {IF_MATCH: etag}, payload="four")
        self.ask(412, DELETE, "/ps/data/if", {IF_MATCH: etag})
        self.assertEqual(self.ask(205, GET, "/ps/data/if")["payload"], b"three")
        self.ask(204, PUT, "/ps/data/if", {IF_MATCH: ""}, payload="five")  # any value

    def test_formats_are_negotiated(self):
        self.ask(201, PUT, "/ps/data/f", {FORMAT: CBOR}, payload=b"\x18\x2a")
        answer = self.ask(205, GET, "/ps/data/f", {ACCEPT: CBOR})
        self.assertEqual((answer["payload"], answer[f"o{FORMAT}"]), (b"\x18\x2a", "3c"))
        self.ask(406, GET, "/ps/data/f", {ACCEPT: JSON})

    def test_max_age_counts_down_from_what_was_put(self):
        self.ask(201, PUT, "/ps/data/age", {MAX_AGE: 300}, payload="x")
        self.assertIn(int(self.ask(205, GET, "/ps/data/age")[f"o{MAX_AGE}"], 16), range(1, 301))
        self.ask(201, PUT, "/ps/data/short", {MAX_AGE: 0}, payload="x")
        self.ask(404, GET, "/ps/data/short")

    # --- bodies in blocks (RFC 7959) ---

    def test_large_bodies_go_both_ways(self):
        body = body_of(20 * KIB - 7)
        for szx in (6, 4, 2):
            with self.subTest(block=16 << szx):
                self.client = self.new()
                listener = self.subscribe("mosquitto", "-t", f"put/{szx}", "-N")
                path = f"/ps/data/put/{szx}"
                self.ask(201, PUT, path, block1=szx, payload=body)
                listener.wait_for(body)
                self.assertEqual(self.ask(205, GET, path, block2=szx)["payload"], body)

    def test_who_has_not_proven_its_address_gets_smaller_blocks(self):
        body = body_of(8 * KIB)
        self.ask(201, PUT, "/ps/data/small", block1=6, payload=body)
        self.client = self.new()  # has sent next to nothing
        answer = self.ask(205, GET, "/ps/data/small")
        self.assertEqual(answer["payload"], body)
        self.assertLess(int(answer["o23"], 16) & 7, 6)

    def test_a_body_of_mqtt_is_read_in_blocks(self):
        body = body_of(20 * KIB)
        self.publish("mosquitto", "large", body.decode(), "-r", "-q", "1")
        self.assertEqual(self.ask_proven(205, GET, "/ps/data/large")["payload"], body)

    def test_an_event_in_blocks_acts_once(self):
        body = body_of(3 * KIB)
        listener = self.subscribe("mosquitto", "-t", "event")
        self.ask(204, POST, "/ps/data/event", block1=3, payload=body)
        self.ask(204, POST, "/ps/data/event", payload="last")
        self.assertEqual(listener.wait_lines(2), [body.decode(), "last"])

    # --- observing (RFC 7641) ---

    def test_an_observer_sees_values_of_both_protocols_until_it_cancels(self):
        self.ask(201, PUT, "/ps/data/o", payload="first")
        number, first = self.client.observe("/ps/data/o")
        self.assertEqual((first["code"], first["payload"]), (205, b"first"))
        last = int(first[f"o{OBSERVE}"], 16)
        for round_ in range(6):
            value = f"value {round_}"
            if round_ % 2:
                self.publish("mosquitto", "o", value, "-q", str(round_ % 3), "-r")
            else:
                self.ask(204, PUT, "/ps/data/o", payload=value)
            seen = self.client.notified()
            self.assertEqual((seen["of"], seen["payload"]), (number, value.encode()))
            self.assertGreater(int(seen[f"o{OBSERVE}"], 16), last)  # RFC 7641 §3.4
            last = int(seen[f"o{OBSERVE}"], 16)
        self.client.cancel(number)
        self.ask(204, PUT, "/ps/data/o", payload="unseen")
        self.driver.event(self.client.name, "ended")
        again, first = self.client.observe("/ps/data/o")
        self.assertEqual(first["payload"], b"unseen")
        self.ask(204, PUT, "/ps/data/o", payload="seen")
        seen = self.client.notified()
        self.assertEqual((seen["of"], seen["payload"]), (again, b"seen"))

    def test_several_observations_of_one_peer_are_told_apart(self):
        numbers = {}
        for name in ("a", "b", "c"):
            self.ask(201, PUT, f"/ps/data/many/{name}", payload=f"{name}0")
            numbers[name], _ = self.client.observe(f"/ps/data/many/{name}")
        for name in ("c", "a", "b"):
            self.publish("mosquitto", f"many/{name}", f"{name}1", "-r")
            seen = self.client.notified()
            self.assertEqual((seen["of"], seen["payload"]), (numbers[name], f"{name}1".encode()))

    def test_wildcards_are_observed(self):
        self.ask(201, PUT, "/ps/data/room/1", payload="there before")
        number, first = self.client.observe("/ps/data/room/+")
        self.assertEqual((first["code"], first["payload"]), (205, b""))
        for name, value in (("1", "there before"), ("2", "two"), ("1", "one")):
            if value != "there before":
                self.publish("mosquitto", f"room/{name}", value, "-r")
            seen = self.client.notified()
            self.assertEqual((seen["of"], seen["payload"]), (number, value.encode()))
            path = [bytes.fromhex(one).decode() for one in seen[f"o{LOCATION}"].split(",")]
            self.assertEqual(path, ["ps", "data", "room", name])

    def test_an_observation_ends_with_its_value(self):
        # The 4.04 has no Observe option. node-coap takes it for number 0, which by chance is old:
        # then it does not show it.
        self.ask(201, PUT, "/ps/data/end", payload="x")
        number, _ = self.client.observe("/ps/data/end")
        self.ask(202, DELETE, "/ps/data/end")
        self.ask(201, PUT, "/ps/data/end", payload="unseen")
        again, first = self.client.observe("/ps/data/end")
        self.assertEqual(first["payload"], b"unseen")
        self.ask(204, PUT, "/ps/data/end", payload="seen")
        seen = self.client.notified()
        if seen["of"] == number:
            self.assertEqual((seen["code"], seen["payload"]), (404, b""))
            seen = self.client.notified()
        self.assertEqual((seen["of"], seen["payload"]), (again, b"seen"))

    def test_what_cannot_be_observed_is_answered_all_the_same(self):
        _, answer = self.client.observe("/.well-known/core", query="href=/ps")
        self.assertEqual(answer["code"], 205)
        self.assertNotIn(f"o{OBSERVE}", answer)

    # --- discovery and the collection (RFC 6690, draft-ietf-core-coap-pubsub-21) ---

    def links(self, path, query=None):
        answer = self.ask(205, GET, path, query=query)
        self.assertEqual(answer[f"o{FORMAT}"], hexadecimal(LINKS))
        return answer["payload"].decode()

    def test_discovery_filters(self):
        self.ask(201, PUT, "/ps/data/room/1", {FORMAT: JSON}, payload="{}")
        self.ask(201, PUT, "/ps/data/hall", payload="12345")
        room = '</ps/data/room/1>;rt="core.ps.data";obs;sz=2;ct=50'
        hall = '</ps/data/hall>;rt="core.ps.data";obs;sz=5'
        for query, has, has_not in (
                (None, (room, hall, "</ps>"), ()), ("rt=core.ps.coll", ("</ps>",), (room, hall)),
                ("rt=core.ps.data", (room, hall), ("</ps>",)), ("ct=50", (room,), (hall,)),
                ("href=/ps/data/room*", (room,), (hall,)), ("sz=5", (hall,), (room,)),
                ("rt=core.ps.data&ct=50", (room,), (hall,))):
            found = self.links("/.well-known/core", query)
            for links, check in ((has, self.assertIn), (has_not, self.assertNotIn)):
                for link in links:
                    check(link, found)
        self.assertIn("/ps/conf/hall", self.links("/ps"))
        self.assertEqual(self.links("/.well-known/core", "rt=none"), "")

    def test_a_topic_is_made_read_in_part_changed_and_ended(self):
        options = {FORMAT: PUBSUB}
        name = b"\x64temp"
        made = self.ask(201, POST, "/ps", options,
                        payload=b"\xa3\x00" + name + b"\x02\x6ccore.ps.data\x03\x18\x32")
        path = [bytes.fromhex(one).decode() for one in made[f"o{LOCATION}"].split(",")]
        self.assertEqual(path, ["ps", "conf", "temp"])
        whole = self.ask(205, GET, "/ps/conf/temp")
        self.assertEqual(whole[f"o{FORMAT}"], hexadecimal(PUBSUB))
        self.assertIn(b"\x00" + name, whole["payload"])
        part = self.ask(205, FETCH, "/ps/conf/temp", {FORMAT: CBOR}, payload=b"\x81\x03")
        self.assertEqual(part["payload"], b"\xa1\x03\x18\x32")
        self.ask(204, IPATCH, "/ps/conf/temp", options, payload=b"\xa1\x06\x05")
        part = self.ask(205, FETCH, "/ps/conf/temp", {FORMAT: CBOR}, payload=b"\x81\x06")
        self.assertEqual(part["payload"], b"\xa1\x06\x05")
        found = self.ask(205, FETCH, "/ps", options, payload=b"\xa1\x03\x18\x32")
        self.assertEqual(found["payload"], b"</ps/conf/temp>")
        self.ask(404, GET, "/ps/data/temp")  # half created
        self.ask(415, PUT, "/ps/data/temp", {FORMAT: CBOR}, payload="x")
        self.ask(201, PUT, "/ps/data/temp", {FORMAT: JSON}, payload="21")
        self.ask(202, DELETE, "/ps/conf/temp")
        self.ask(404, GET, "/ps/conf/temp")
        self.ask(404, GET, "/ps/data/temp")

    # --- MQTT 5 ---

    def test_mqtt5_sees_what_is_put(self):
        listener = self.subscribe("mosquitto", "-V", "5", "-q", "2", "-t", "five/#", "-F",
                                  "%t %q %C %E %P %p")
        self.ask(201, PUT, "/ps/data/five/a", {FORMAT: JSON, MAX_AGE: 600}, payload="{}",
                 query="user.room=kitchen&user.room=hall", con=0)
        self.ask(204, POST, "/ps/data/five/b", {FORMAT: 12345}, payload="x", query="qos=2")
        first, second = listener.wait_lines(2)
        self.assertRegex(first, r"^five/a 0 application/json (600|59\d) room:kitchen room:hall {}$")
        self.assertRegex(second, r"^five/b 2 application/coap-payload;cf=12345 +x$")

    def test_what_mqtt5_publishes_is_read(self):
        self.publish("mosquitto", "from5", "{}", "-V", "5", "-r", "-q", "1",
                     "-D", "publish", "content-type", "application/json",
                     "-D", "publish", "message-expiry-interval", "900",
                     "-D", "publish", "user-property", "room", "kitchen")
        answer = self.ask(205, GET, "/ps/data/from5", {ACCEPT: JSON})
        self.assertEqual((answer["payload"], answer[f"o{FORMAT}"]), (b"{}", hexadecimal(JSON)))
        self.assertIn(int(answer[f"o{MAX_AGE}"], 16), range(800, 901))


def tearDownModule():
    if NodeCoap.driver is not None:
        NodeCoap.driver.close()


if __name__ == "__main__":
    main()
