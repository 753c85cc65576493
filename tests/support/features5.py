# SPDX-License-Identifier: Apache-2.0
"""What only MQTT 5.0 has, asked of a client library and a broker: features.py, second half."""
from features import OCTETS, PROPERTIES, AccessTest, FeatureTest, lacking, told

FOREVER = 0xFFFFFFFF


class Messages(FeatureTest):
    def properties_of(self, message):
        """What came, with the expiry's rest replaced: an hour less a moment."""
        came = told(message, PROPERTIES)
        if came["expiry"] is not None and 3500 < came["expiry"] <= 3600:
            came["expiry"] = 3600
        return came

    def test_properties_come_as_they_were_sent(self):
        subscriber, publisher = self.subscriber("p", 2), self.peer()
        for qos in (0, 1, 2):
            publisher.publish("p", b"text", qos, **PROPERTIES)
            self.assertEqual(self.properties_of(subscriber.message()), PROPERTIES)

    def test_properties_of_retained_and_queued_messages(self):
        sleeper = self.kept("sleeper")
        sleeper.subscribe("p/#", 1)
        sleeper.disconnect()
        self.peer().publish("p/a", b"text", 1, True, **PROPERTIES)
        for reader in (self.subscriber("p/+"), self.kept("sleeper")):
            self.assertEqual(self.properties_of(reader.message()), PROPERTIES)

    def test_a_message_without_properties_gets_none(self):
        subscriber = self.subscriber("p")
        self.peer().publish("p", b"x")
        message = subscriber.message()
        self.assertEqual({name: value for name, value in message.items()
                          if name in PROPERTIES and value}, {})

    def test_a_request_finds_its_response(self):
        server, client = self.subscriber("questions", 1), self.subscriber("answers/+", 1)
        client.publish("questions", b"6 * 7", 1, response_topic="answers/1", correlation=b"\0\2")
        question = server.message()
        self.assertEqual(question["payload"], b"6 * 7")
        server.publish(question["response_topic"], b"42", 1,
                       correlation=question["correlation"])
        answer = client.message()
        self.assertEqual(told(answer, ("topic", "payload", "correlation")),
                         {"topic": "answers/1", "payload": b"42", "correlation": b"\0\2"})

    def test_an_older_client_gets_the_value_alone(self):
        for version in ("31", "311"):
            old = self.subscriber("p", 1, version)
            self.peer().publish("p", b"text", 1, **PROPERTIES)
            self.assertEqual(told(old.message(), ("topic", "payload", "content_type")),
                             {"topic": "p", "payload": b"text", "content_type": None})

    def test_the_expiry_counts_down_while_a_message_waits(self):
        sleeper = self.kept("sleeper")
        sleeper.subscribe("e", 1)
        sleeper.disconnect()
        publisher = self.peer()
        for payload, expiry in ((b"gone", 1), (b"left", 100), (b"for ever", None)):
            publisher.publish("e", payload, 1, expiry=expiry)
        publisher.publish("kept", b"gone too", 1, True, expiry=1)
        self.pause(2.1)
        again = self.kept("sleeper")
        left, ever = again.message(), again.message()
        self.assertEqual((left["payload"], ever["payload"]), (b"left", b"for ever"))
        self.assertLess(left["expiry"], 100)
        self.assertGreater(left["expiry"], 0)
        self.assertIsNone(ever.get("expiry"))
        self.wait_for_end(self.subscriber("kept"))

    def test_topics_become_numbers_on_the_way_to_the_client(self):
        subscriber = self.subscriber("a/#", connect={"alias_max": 1})
        publisher = self.peer()
        for topic in ("a/long/topic", "a/long/topic", "a/other", "a/long/topic"):
            publisher.publish(topic, topic.encode())
        got = [subscriber.message() for _ in range(4)]
        self.assertEqual([(one["topic"], one["payload"].decode()) for one in got],
                         [(one["payload"].decode(),) * 2 for one in got])
        if "received aliases" not in self.lacks:
            self.assertEqual(got[0].get("alias"), 1)
            self.assertEqual(got[1].get("alias"), 1)

    def test_topics_become_numbers_on_the_way_to_the_broker(self):
        subscriber = self.subscriber("a/#", 2)
        publisher = self.peer(own_alias_max=2)
        self.assertGreaterEqual(publisher.terms["alias_max"], 2)
        topics = ["a/1", "a/1", "a/2", "a/1", "a/2", "a/2"]
        for qos, topic in zip((0, 1, 2, 0, 1, 2), topics):
            publisher.publish(topic, topic.encode(), qos)
        got = [subscriber.message() for _ in topics]
        self.assertEqual([one["topic"] for one in got], topics)
        self.assertEqual([one["payload"].decode() for one in got], topics)


class Wills(FeatureTest):
    def test_a_will_has_properties(self):
        watcher = self.subscriber("will", 1)
        will = {f"will_{name}": value for name, value in PROPERTIES.items()}
        self.peer(will_topic="will", will_payload=b"text", will_qos=1, **will).kill()
        came = told(watcher.message(), PROPERTIES)
        self.assertEqual(came, PROPERTIES)

    def test_a_will_waits_for_its_delay_and_is_forgotten_by_who_comes_back(self):
        watcher = self.subscriber("will/+", 1)
        for name in ("back", "late"):
            self.kept(name, will_topic=f"will/{name}", will_payload=b"delayed", will_delay=1,
                      will_qos=1).kill()
        # Without a session there is nothing to wait for.
        self.peer(client_id="ended", will_topic="will/ended", will_payload=b"at once",
                  will_delay=3600, session_expiry=0).kill()
        self.kept("back")
        self.assertEqual([watcher.message()["topic"] for _ in range(2)],
                         ["will/ended", "will/late"])
        self.wait_for_end(watcher)

    def test_a_client_may_ask_for_its_will(self):
        watcher = self.subscriber("will", 1)
        self.peer(will_topic="will", will_payload=b"asked for").disconnect(code=0x04)
        self.assertEqual(watcher.message()["payload"], b"asked for")


class Sessions(FeatureTest):
    def test_the_broker_names_who_has_no_name(self):
        unnamed = [self.peer(client_id="") for _ in range(2)]
        names = {one.terms.get("assigned") for one in unnamed}
        self.assertEqual(len(names), 2)
        self.assertNotIn(None, names)
        self.assertNotIn("", names)

    def test_a_session_lasts_as_long_as_it_says(self):
        for expiry, present in ((FOREVER, 1), (3600, 1), (0, 0)):
            name = f"lasting-{expiry}"
            self.kept(name, session_expiry=expiry).disconnect()
            self.assertEqual(self.kept(name).terms["present"], present, expiry)

    def test_a_session_is_forgotten_when_its_time_is_over(self):
        """Its time is the one of CONNECT, or that of DISCONNECT."""
        self.kept("brief", session_expiry=1).disconnect()
        self.kept("shorter", session_expiry=3600).disconnect(session_expiry=1)
        self.kept("longer", session_expiry=1).disconnect(session_expiry=3600)
        self.kept("ended", session_expiry=3600).disconnect(session_expiry=0)
        self.assertEqual(self.kept("ended").terms["present"], 0)
        self.pause(2.5)
        self.assertEqual([self.kept(name).terms["present"] for name in
                          ("brief", "shorter", "longer")], [0, 0, 1])


class Subscriptions(FeatureTest):
    def test_identifiers_say_which_subscription_a_message_is_for(self):
        subscriber = self.peer()
        subscriber.subscribe("over/+", 1, id=7)
        subscriber.subscribe("other/#", 0, id=268_435_455)
        publisher = self.peer()
        publisher.publish("over/a", b"x", 1)
        publisher.publish("other/a", b"y")
        self.assertEqual([subscriber.message()["ids"] for _ in range(2)], [[7], [268_435_455]])

    def test_overlapping_subscriptions_name_all_their_identifiers(self):
        subscriber = self.peer()
        subscriber.subscribe("over/+", 1, id=7)
        subscriber.subscribe("over/#", 1, id=9)
        self.peer().publish("over/a", b"x", 1)
        ids = []
        while len(ids) < 2:  # in one message or in one each [MQTT-3.3.4-2]
            message = subscriber.message()
            self.assertEqual(message["payload"], b"x")
            ids += message["ids"]
        self.assertEqual(sorted(ids), [7, 9])

    def test_no_local(self):
        subscriber = self.peer()
        subscriber.subscribe("own", 1, no_local=True)
        subscriber.publish("own", b"mine", 1)
        self.peer().publish("own", b"theirs", 1)
        self.assertEqual(subscriber.message()["payload"], b"theirs")

    def test_retain_as_published(self):
        as_published = self.subscriber("r", 0, as_published=True)
        plain = self.subscriber("r", 0)
        publisher = self.peer()
        publisher.publish("r", b"kept", 0, True)
        publisher.publish("r", b"live")
        for subscriber, flags in ((as_published, [1, 0]), (plain, [0, 0])):
            self.assertEqual([subscriber.message()["retain"] for _ in range(2)], flags)

    def test_retain_handling(self):
        publisher = self.peer()
        publisher.publish("rh", b"kept", 1, True)
        always, new, never = self.peer(), self.peer(), self.peer()
        for handling, subscriber in enumerate((always, new, never)):
            for _ in range(2):
                subscriber.subscribe("rh", 1, retain_handling=handling)
        publisher.publish("rh", b"live", 1)
        self.assertEqual(always.payloads(3), [b"kept", b"kept", b"live"])
        self.assertEqual(new.payloads(2), [b"kept", b"live"])
        self.assertEqual(never.payloads(1), [b"live"])

    def test_a_group_gets_no_retained_values(self):
        self.peer().publish("pool/a", b"kept", 1, True)
        member = self.subscriber("$share/g/pool/#", 1)
        self.peer().publish("pool/b", b"live", 1)
        self.assertEqual(member.message()["payload"], b"live")

    @lacking("unsubscribe codes")
    def test_unsubscribing_says_whether_there_was_a_subscription(self):
        subscriber = self.subscriber("a")
        self.assertEqual(subscriber.unsubscribe("a")["codes"], [0x00])
        self.assertEqual(subscriber.unsubscribe("a")["codes"], [0x11])


class Limits(FeatureTest):
    lines = ("max_packet_size 2000", "max_keepalive 20", "max_inflight_messages 3")

    def serve(self, *lines, anonymous=True):
        super().serve(*self.lines, *lines, anonymous=anonymous)

    def test_the_broker_tells_its_terms(self):
        terms = self.peer(keep_alive=100).terms
        self.assertEqual(terms["keep_alive"], 20)
        self.assertEqual(terms["packet_max"], 2000)
        self.assertGreater(terms["alias_max"], 0)
        self.assertEqual(terms["receive_max"], 3)
        for name in ("has_retain", "has_wildcards", "has_ids", "has_shared"):
            self.assertIn(terms.get(name), (1, None), name)  # nothing said: it has it
        self.assertIn(terms.get("qos_max"), (2, None))

    def test_a_receive_maximum_of_one_loses_nothing(self):
        sleeper = self.kept("narrow")
        sleeper.subscribe("n", 2)
        sleeper.disconnect()
        publisher = self.peer()
        payloads = [str(number).encode() for number in range(30)]
        for number, payload in enumerate(payloads):
            publisher.publish("n", payload, 1 + number % 2)
        self.assertEqual(self.kept("narrow", receive_max=1).payloads(30), payloads)

    def test_a_message_above_the_clients_packet_size_is_left_out(self):
        subscriber = self.subscriber("m", 1, connect={"packet_max": 200})
        publisher = self.peer()
        publisher.publish("m", OCTETS, 1)
        publisher.publish("m", b"fits", 1)
        self.assertEqual(subscriber.message()["payload"], b"fits")

    @lacking("oversized packets")
    def test_a_packet_above_the_brokers_size_ends_the_connection(self):
        publisher = self.peer()
        publisher.begin_publish("m", OCTETS * 10, 1)
        self.assertEqual(publisher.ended().get("code"), 0x95)


class Refusals(FeatureTest):
    @lacking("publish codes", "nobody listens")
    def test_the_publisher_hears_that_nobody_listens(self):
        publisher = self.peer()
        for qos in (1, 2):
            self.assertEqual(publisher.publish("nobody", b"x", qos)["code"], 0x10)
        self.subscriber("somebody", 2)
        for qos in (1, 2):
            self.assertEqual(publisher.publish("somebody", b"x", qos)["code"], 0x00)

    @lacking("checks of text")
    def test_what_calls_itself_text_must_be_text(self):
        publisher = self.peer()
        publisher.begin_publish("t", b"\xff\xfe", 1, text=1)
        self.assertEqual(publisher.ended().get("code"), 0x99)

    def test_a_broker_that_stops_says_so(self):
        client = self.peer()
        self.broker.stop()
        self.assertEqual(client.ended().get("code"), 0x8B)


class Reasons(AccessTest):
    @lacking("reason strings", "publish codes")
    def test_reasons_are_told_in_words_unless_the_client_wants_none(self):
        for problem in (True, False):
            alice = self.alice(problem=problem)
            for qos in (1, 2):
                answer = alice.publish("open/a", b"x", qos)
                self.assertEqual((answer["code"], bool(answer.get("reason"))), (0x87, problem))


ALL = (Messages, Wills, Sessions, Subscriptions, Limits, Refusals, Reasons)
