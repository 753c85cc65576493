#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a message that crosses between CoAP and MQTT 5: each row of the table in
src/protocols/coap/README.md, both ways. The MQTT client is Paho's, the CoAP client shows every
option, so that also what must not be there is seen."""
from coap_wire import (ACCEPT, ACK, CON, CONTENT_FORMAT, DELETE, ETAG, GET, MAX_AGE, NON, OBSERVE,
                       POST, PUT, Endpoint, uint)
from peers_paho import PahoPeers
from processes import ProcessTest, main

HOUR = range(3500, 3601)  # an hour less what the test takes
OCTETS = bytes(range(256))

# What is put: method, Message type, query, options, payload -> what a subscriber of MQTT 5 gets.
FROM_COAP = {
    "payload": ((PUT, CON, (), (), OCTETS), {"payload": OCTETS}),
    "payload of an event may be empty": ((POST, CON, (), (), b""), {"payload": b""}),
    "guarantee: CON": ((PUT, CON, (), (), b"x"), {"qos": 1}),
    "guarantee: NON": ((PUT, NON, (), (), b"x"), {"qos": 0}),
    "guarantee: qos=0": ((PUT, CON, ("qos=0",), (), b"x"), {"qos": 0}),
    "guarantee: qos=1": ((PUT, NON, ("qos=1",), (), b"x"), {"qos": 1}),
    "guarantee: qos=2": ((POST, NON, ("qos=2",), (), b"x"), {"qos": 2}),
    "retain: PUT": ((PUT, CON, (), (), b"x"), {"retain": 1}),
    "retain: POST": ((POST, CON, (), (), b"x"), {"retain": 0}),
    "retain: retain=0": ((PUT, CON, ("retain=0",), (), b"x"), {"retain": 0}),
    "retain: retain=1": ((POST, CON, ("retain=1",), (), b"x"), {"retain": 1}),
    "content type: text": ((PUT, CON, (), ((CONTENT_FORMAT, b""),), b"x"),
                           {"content_type": "text/plain;charset=utf-8"}),
    "content type: JSON": ((PUT, CON, (), ((CONTENT_FORMAT, uint(50)),), b"x"),
                           {"content_type": "application/json"}),
    "content type: a number outside the table": (
        (PUT, CON, (), ((CONTENT_FORMAT, uint(65123)),), b"x"),
        {"content_type": "application/coap-payload;cf=65123"}),
    "expiry: Max-Age": ((PUT, CON, (), ((MAX_AGE, uint(3600)),), b"x"), {"expiry": HOUR}),
    "expiry: expiry=": ((PUT, CON, ("expiry=3600",), ((MAX_AGE, uint(9)),), b"x"),
                        {"expiry": HOUR}),
    "ETag of a request is nothing": ((PUT, CON, (), ((ETAG, b"12345678"),), b"x"), {}),
    "user properties": ((PUT, CON, ("user.a=1", "user.ä=ö", "user.a=", "user.b=c=d"), (), b"x"),
                        {"user": [("a", "1"), ("ä", "ö"), ("a", ""), ("b", "c=d")]}),
    "everything at once": (
        (POST, NON, ("qos=2", "retain=1", "expiry=3600", "user.a=b"), ((CONTENT_FORMAT, uint(60)),),
         b"\xf6"),
        {"payload": b"\xf6", "qos": 2, "retain": 1, "expiry": HOUR, "user": [("a", "b")],
         "content_type": "application/cbor"}),
}
ALL_OF_MQTT = ("content_type", "expiry", "user", "text", "response_topic", "correlation")

# What MQTT 5 publishes as retained value -> options of a response, and of a notification, beside
# ETag and Observe.
FROM_MQTT = {
    "payload": ({"payload": OCTETS}, {}),
    "content type: JSON": ({"content_type": "application/json"}, {CONTENT_FORMAT: 50}),
    "content type: text, as MQTT writes it": ({"content_type": "text/plain; charset=UTF-8"},
                                              {CONTENT_FORMAT: 0}),
    "content type: a number outside the table": (
        {"content_type": "application/coap-payload;cf=65123"}, {CONTENT_FORMAT: 65123}),
    "content type outside the registry is lost": ({"content_type": "application/x-odd"}, {}),
    "expiry": ({"expiry": 3600}, {MAX_AGE: HOUR}),
    "user properties are lost": ({"user": [("a", "1"), ("b", "2")]}, {}),
    "correlation and reply-to are lost": ({"correlation": b"1", "response_topic": "r"}, {}),
    "text mark": ({"text": True}, {}),
    "everything at once": (
        {"content_type": "application/cbor", "expiry": 3600, "user": [("a", "1")], "text": False,
         "correlation": b"1", "response_topic": "r", "payload": b"\xf6"},
        {CONTENT_FORMAT: 60, MAX_AGE: HOUR}),
}


class Peer(Endpoint):
    """A peer that acknowledges what is Confirmable, and takes answers by their token."""

    def __init__(self, port):
        super().__init__(port)
        self.came = []  # what nobody has taken yet

    def begin(self, *words, **more):
        """Sends a request and returns its token."""
        return self.send(self.request(*words, **more)).token

    def answer(self, *words, **more):
        return self.next(self.begin(*words, **more))

    def next(self, token):
        """The next response or notification with this token."""
        while True:
            for message in self.came:
                if message.token == token:
                    self.came.remove(message)
                    return message
            message = self.receive()
            if message.kind == CON:
                self.empty(ACK, message.mid)
            self.came.append(message)


def numbers(message):
    return {number for number, _ in message.options}


class Mapping(ProcessTest):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()
        peers = PahoPeers(self.broker.mqtt)
        self.addCleanup(peers.close)
        self.mqtt = peers.new("5")
        self.mqtt.connect()
        self.coap = Peer(self.broker.coap)
        self.addCleanup(self.coap.close)

    def check(self, got, wanted, name):
        if isinstance(wanted, range):
            self.assertIn(got, wanted, name)
        else:
            self.assertEqual(got, wanted, name)

    def observe(self, topic):
        """The token of an observation whose peer has proven its address: then what is published at
        most once comes Non-confirmable."""
        token = self.coap.begin(GET, f"/ps/data/{topic}", [(OBSERVE, b"")])
        first = self.coap.next(token)
        self.assertTrue(first.all(OBSERVE))
        self.mqtt.publish(topic, b"proof", 1)
        self.assertEqual(self.coap.next(token).kind, CON)
        return token

    def test_from_coap(self):
        self.mqtt.subscribe("from/#", 2, as_published=True)
        for number, (row, (request, wanted)) in enumerate(FROM_COAP.items()):
            with self.subTest(row):
                method, kind, query, options, payload = request
                answer = self.coap.answer(method, f"/ps/data/from/{number}?" + "&".join(query),
                                          options, payload, kind)
                self.assertIn(answer.code, ("2.01", "2.04"))
                message = self.mqtt.message()
                self.assertEqual(message["topic"], f"from/{number}")
                for field, value in wanted.items():
                    self.check(message.get(field), value, field)
                for field in ALL_OF_MQTT:  # nothing is added
                    if field not in wanted:
                        self.assertIn(message.get(field), (None, []), field)

    def test_from_coap_and_back(self):
        """What CoAP puts, CoAP reads, whatever MQTT understands of it."""
        self.coap.answer(PUT, "/ps/data/back",
                         [(CONTENT_FORMAT, uint(65123)), (MAX_AGE, uint(3600))], OCTETS)
        answer = self.coap.answer(GET, "/ps/data/back")
        self.assertEqual((answer.code, answer.payload), ("2.05", OCTETS))
        self.assertEqual(numbers(answer), {ETAG, CONTENT_FORMAT, MAX_AGE})
        self.assertEqual(answer.first(CONTENT_FORMAT), 65123)
        self.check(answer.first(MAX_AGE), HOUR, "Max-Age")

    def test_from_mqtt(self):
        for number, (row, (words, wanted)) in enumerate(FROM_MQTT.items()):
            with self.subTest(row):
                topic, words = f"to/{number}", dict(words)
                payload = words.pop("payload", b"x")
                token = self.observe(topic)
                self.mqtt.publish(topic, payload, 1, True, **words)
                notified = self.coap.next(token)
                read = self.coap.answer(GET, f"/ps/data/{topic}")
                for message, more in ((notified, {OBSERVE, MAX_AGE}), (read, {ETAG})):
                    self.assertEqual((message.code, message.payload), ("2.05", payload))
                    self.assertEqual(numbers(message), set(wanted) | more)
                    for option, value in wanted.items():
                        self.check(message.first(option), value, option)
                if MAX_AGE not in wanted:
                    self.assertEqual(notified.first(MAX_AGE), 600)  # coap_observe_max_age

    def test_guarantees_become_types(self):
        token = self.observe("q")
        for qos, kind in ((0, NON), (1, CON), (0, NON), (2, CON)):
            self.mqtt.publish("q", str(qos).encode(), qos)
            notified = self.coap.next(token)
            self.assertEqual((notified.kind, notified.payload), (kind, str(qos).encode()))

    def test_what_is_not_retained_is_an_event(self):
        token = self.observe("event")
        self.mqtt.publish("event", b"now", 1, False)
        self.assertEqual(self.coap.next(token).payload, b"now")
        self.assertEqual(self.coap.answer(GET, "/ps/data/event").code, "4.04")

    def test_an_empty_retained_message_is_no_value_both_ways(self):
        self.mqtt.subscribe("gone", 1, as_published=True)
        self.mqtt.publish("gone", b"x", 1, True)
        self.mqtt.message()
        token = self.observe("gone")
        self.mqtt.message()  # the proof
        self.mqtt.publish("gone", b"", 1, True)
        ended = self.coap.next(token)
        self.assertEqual((ended.code, ended.all(OBSERVE)), ("4.04", []))
        self.assertEqual(self.coap.answer(GET, "/ps/data/gone").code, "4.04")
        self.mqtt.message()
        self.assertEqual(self.coap.answer(PUT, "/ps/data/gone").code, "4.00")
        self.assertEqual(self.coap.answer(PUT, "/ps/data/gone", payload=b"y").code, "2.01")
        self.assertEqual(self.mqtt.message()["payload"], b"y")
        self.assertEqual(self.coap.answer(DELETE, "/ps/data/gone").code, "2.02")
        last = self.mqtt.message()
        self.assertEqual((last["payload"], last["retain"]), (b"", 1))

    def test_a_value_that_says_nothing_of_itself_is_read_as_asked(self):
        self.mqtt.publish("plain", b"text", 1, True, text=True)
        self.mqtt.publish("octets", b"\xff", 1, True)
        for topic, accept, code in (
                ("plain", 0, "2.05"), ("plain", 42, "2.05"), ("plain", 50, "4.06"),
                ("octets", 0, "4.06"), ("octets", 42, "2.05")):
            with self.subTest(topic=topic, accept=accept):
                answer = self.coap.answer(GET, f"/ps/data/{topic}", [(ACCEPT, uint(accept))])
                self.assertEqual(answer.code, code)
                self.assertEqual(answer.first(CONTENT_FORMAT), accept if code == "2.05" else None)

    def test_every_value_has_its_own_etag(self):
        tags = set()
        for value in (b"a", b"b", b"a"):
            self.mqtt.publish("tag", value, 1, True)
            answer = self.coap.answer(GET, "/ps/data/tag")
            tag, = answer.all(ETAG)
            tags.add(tag)
            valid = self.coap.answer(GET, "/ps/data/tag", [(ETAG, tag)])
            self.assertEqual((valid.code, valid.payload, valid.all(ETAG)), ("2.03", b"", [tag]))
        self.assertEqual(len(tags), 3)

    def test_expired_values_are_none(self):
        token = self.observe("short")
        self.coap.answer(PUT, "/ps/data/short", [(MAX_AGE, b"")], b"over already")
        self.assertEqual(self.coap.answer(GET, "/ps/data/short").code, "4.04")
        self.mqtt.publish("short", b"lasts", 1, True, expiry=3600)
        while (notified := self.coap.next(token)).payload != b"lasts":
            self.assertEqual(notified.payload, b"over already")
        self.check(notified.first(MAX_AGE), HOUR, "Max-Age")


if __name__ == "__main__":
    main()
