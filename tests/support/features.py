# SPDX-License-Identifier: Apache-2.0
"""What a client library and a broker can do together in MQTT 3.1, 3.1.1 and 5.0: one list, asked of
every pair. A module makes its tests by making(): a class for each version.

What a library cannot say or see is named in its `lacks`, with the reason beside it; a broker's in
its own. Nothing else is left out.
"""
import subprocess
import unittest

from processes import ProcessTest, require

TEXT = "grüße"
OCTETS = bytes(range(256))
PROPERTIES = {
    "content_type": "text/plain", "response_topic": "answers/7", "correlation": b"\0\1\xff",
    "expiry": 3600, "text": 1, "user": [("b", "1"), ("b", "2"), ("a", "ü")]}
ACL = """
topic read open/#
user alice
topic readwrite home/#
topic read open/#
user root
topic readwrite #
"""


def told(fields, names):
    return {name: fields.get(name) for name in names}


def lacking(*what):
    """The test needs what some library or broker lacks."""
    def mark(test):
        test.needs = what
        return test
    return mark


class FeatureTest(ProcessTest):
    """`version` is that of the clients under test. The module says how peers and brokers begin."""

    version = "5"
    lacks = ()

    def setUp(self):
        super().setUp()
        needs = getattr(getattr(self, self._testMethodName), "needs", ())
        missing = [what for what in needs if what in self.lacks]
        if missing:
            self.skipTest(f"needs what is not there: {', '.join(missing)}")
        self.serve()

    def serve(self, *lines, anonymous=True):
        self.broker = self.make_broker(*lines, anonymous=anonymous)
        self.peers = self.make_peers(self.broker.mqtt)
        self.addCleanup(self.peers.close)

    def peer(self, version=None, **options):
        """A client that is connected."""
        peer = self.peers.new(version or self.version)
        options.setdefault("client_id", peer.name)
        answer = peer.connect(**options)
        self.assertEqual(answer["code"], 0, answer)
        peer.terms = answer
        return peer

    def kept(self, client_id, **options):
        """A client whose session outlives its connection."""
        if self.version == "5":
            options.setdefault("session_expiry", 3600)
        options.setdefault("clean", False)
        return self.peer(client_id=client_id, **options)

    def assert_present(self, peer):
        """The broker says that it has the session. MQTT 3.1 has no word for that."""
        self.assertEqual(peer.terms["present"], 0 if self.version == "31" else 1)

    def subscriber(self, topic, qos=0, version=None, connect=None, **options):
        peer = self.peer(version, **(connect or {}))
        self.assertEqual(peer.subscribe(topic, qos, **options)["codes"], [qos])
        return peer

    def wait_for_end(self, *peers):
        """Nothing has come to these but what the test has seen: the end is their next message."""
        for peer in peers:
            peer.subscribe("the/end", 0)
        self.peer().publish("the/end", b"end")
        for peer in peers:
            self.assertEqual(peer.message()["payload"], b"end")

    def pause(self, seconds):
        """Time itself is what is waited for: an expiry, a delay."""
        subprocess.run(["/bin/sleep", str(seconds)], check=True)


class Every(FeatureTest):
    """What all versions have."""

    def test_every_qos_to_every_qos(self):
        subscribers = [self.subscriber("q/+", qos) for qos in (0, 1, 2)]
        publisher = self.peer()
        for qos in (0, 1, 2):
            publisher.publish(f"q/{qos}", f"{TEXT} {qos}".encode(), qos)
        for granted, subscriber in enumerate(subscribers):
            got = [subscriber.message() for _ in range(3)]
            self.assertEqual(
                [told(one, ("topic", "payload", "qos", "retain")) for one in got],
                [{"topic": f"q/{qos}", "payload": f"{TEXT} {qos}".encode(),
                  "qos": min(qos, granted), "retain": 0} for qos in (0, 1, 2)])

    def test_payloads_of_any_octets_and_size(self):
        subscriber, publisher = self.subscriber("octets", 1), self.peer()
        payloads = [OCTETS, b"", OCTETS * 1000]
        for payload in payloads:
            publisher.publish("octets", payload, 1)
        self.assertEqual(subscriber.payloads(3), payloads)

    def test_many_at_once_stay_in_order(self):
        for qos in (0, 1, 2):
            subscriber, publisher = self.subscriber("many", qos), self.peer()
            payloads = [str(number).encode() for number in range(100)]
            publisher.publish_all("many", payloads, qos)
            self.assertEqual(subscriber.payloads(100), payloads)

    def test_versions_understand_one_another(self):
        subscribers = [self.subscriber("mix", 1, version) for version in ("31", "311", "5")]
        self.peer().publish("mix", b"hello", 1)
        for subscriber in subscribers:
            self.assertEqual(told(subscriber.message(), ("topic", "payload", "qos")),
                             {"topic": "mix", "payload": b"hello", "qos": 1})

    def test_retained_messages_are_kept_replaced_and_cleared(self):
        publisher = self.peer()
        live = self.subscriber("kept/#", 1)
        for payload in (b"old", b"new"):
            publisher.publish("kept/a", payload, 1, True)
        late = self.subscriber("kept/+", 2)
        self.assertEqual(told(late.message(), ("topic", "payload", "qos", "retain")),
                         {"topic": "kept/a", "payload": b"new", "qos": 1, "retain": 1})
        publisher.publish("kept/a", b"", 1, True)
        got = [live.message() for _ in range(3)]
        self.assertEqual([(one["payload"], one["retain"]) for one in got],
                         [(b"old", 0), (b"new", 0), (b"", 0)])
        self.wait_for_end(self.subscriber("kept/#"))

    def test_a_kept_session_gets_what_it_missed(self):
        first = self.kept("sleeper")
        self.assertEqual(first.terms["present"], 0)
        first.subscribe("missed/+", 2)
        first.disconnect()
        publisher = self.peer()
        for number, qos in enumerate((1, 2, 1, 2)):
            publisher.publish(f"missed/{qos}", str(number).encode(), qos)
        again = self.kept("sleeper")
        self.assert_present(again)
        # A client may hand QoS 2 over later than what came after it: with PUBREL.
        got = sorted((again.message() for _ in range(4)), key=lambda message: message["qos"])
        self.assertEqual([told(one, ("topic", "payload", "qos")) for one in got],
                         [{"topic": f"missed/{qos}", "payload": str(number).encode(), "qos": qos}
                          for number, qos in ((0, 1), (2, 1), (1, 2), (3, 2))])
        again.disconnect()
        clean = self.peer(client_id="sleeper")
        self.assertEqual(clean.terms["present"], 0)
        publisher.publish("missed/1", b"not for it", 1)
        self.wait_for_end(clean)

    def test_a_will_comes_when_its_client_is_lost(self):
        watcher = self.subscriber("will/+", 2)
        will = {"will_payload": OCTETS, "will_qos": 2, "will_retain": True}
        self.peer(will_topic="will/none", **will).disconnect()
        self.peer(will_topic="will/lost", **will).kill()
        expected = {"topic": "will/lost", "payload": OCTETS, "qos": 2}
        self.assertEqual(told(watcher.message(), expected), expected)
        late = self.subscriber("will/+", 2)
        self.assertEqual(told(late.message(), (*expected, "retain")), {**expected, "retain": 1})

    def test_unsubscribed_is_over(self):
        subscriber = self.subscriber("a", 1)
        subscriber.subscribe("b", 1)
        subscriber.unsubscribe("a")
        publisher = self.peer()
        publisher.publish("a", b"not wanted", 1)
        publisher.publish("b", b"wanted", 1)
        self.assertEqual(subscriber.message()["payload"], b"wanted")

    def test_the_later_client_takes_the_session_over(self):
        first = self.kept("twin", will_topic="will/twin", will_payload=b"gone")
        first.subscribe("t", 1)
        second = self.kept("twin")
        self.assert_present(second)
        self.assertEqual(first.ended().get("code"), 0x8E if self.version == "5" else None)
        self.peer().publish("t", b"for the second", 1)
        self.assertEqual(second.message()["payload"], b"for the second")

    def test_a_group_shares_and_an_absent_member_loses_nothing(self):
        absent = self.kept("absent")
        absent.subscribe("$share/g/work/#", 1)
        absent.disconnect()
        publisher = self.peer()
        for number in range(3):
            publisher.publish("work/a", f"early {number}".encode(), 1)
        absent = self.kept("absent")
        self.assertEqual(sorted(absent.payloads(3)),
                         [f"early {number}".encode() for number in range(3)])
        other = self.subscriber("$share/g/work/#", 1)
        witness = self.subscriber("work/#", 1)
        payloads = [str(number).encode() for number in range(20)]
        publisher.publish_all("work/b", payloads, 1)
        self.assertEqual(witness.payloads(20), payloads)
        self.assertEqual(sorted(absent.payloads(10) + other.payloads(10)), sorted(payloads))
        self.wait_for_end(absent, other)

    def test_dollar_topics_hide_from_wildcards(self):
        everything, named = self.subscriber("#"), self.subscriber("$home/#")
        publisher = self.peer()
        publisher.publish("$home/x", b"hidden")
        publisher.publish("seen", b"yes")
        self.assertEqual(everything.message()["topic"], "seen")
        self.assertEqual(told(named.message(), ("topic", "payload")),
                         {"topic": "$home/x", "payload": b"hidden"})


class AccessTest(FeatureTest):
    """Users, passwords, rules."""

    def serve(self, *lines, anonymous=False):
        passwords, rules = self.directory / "passwords", self.directory / "acl"
        self.finish(require("mosquitto_passwd"), "-c", "-b", passwords, "alice", "secret")
        self.finish(require("mosquitto_passwd"), "-b", passwords, "root", "r00t")
        rules.write_text(ACL)
        super().serve(f"password_file {passwords}", f"acl_file {rules}", *lines,
                      anonymous=anonymous)

    def alice(self, **options):
        return self.peer(user_name="alice", password="secret", **options)


class Access(AccessTest):
    def test_the_password_must_be_right(self):
        self.alice()
        for user, password in (("alice", "wrong"), ("bob", "secret")):
            refused = self.peers.new(self.version).connect(
                client_id="x", user_name=user, password=password)
            self.assertIn(refused["code"], (0x86, 0x87) if self.version == "5" else (4, 5))
        nobody = self.peers.new(self.version).connect(client_id="y")
        self.assertIn(nobody["code"], (0x86, 0x87) if self.version == "5" else (4, 5))

    def test_rules_decide_what_arrives(self):
        alice = self.alice()
        alice.subscribe("home/#", 1)
        alice.subscribe("open/#", 1)
        answer = alice.publish("open/a", b"she may not", 1)
        if self.version == "5" and "publish codes" not in self.lacks:
            self.assertEqual(answer["code"], 0x87)
        answer = alice.publish("home/a", b"she may", 1)
        self.assertEqual(answer.get("code", 0), 0)
        self.assertEqual(told(alice.message(), ("topic", "payload")),
                         {"topic": "home/a", "payload": b"she may"})

    def test_nothing_comes_that_may_not_be_read(self):
        alice, root = self.alice(), self.peer(user_name="root", password="r00t")
        alice.subscribe("secret/#", 1)
        alice.subscribe("+/seen", 1)
        for topic in ("secret/a", "secret/seen", "open/seen"):
            root.publish(topic, topic.encode(), 1)
        self.assertEqual(alice.message()["payload"], b"open/seen")
        root.subscribe("secret/#", 1)
        root.publish("secret/a", b"for root", 1)
        self.assertEqual(root.message()["payload"], b"for root")


def making(namespace, base, *kinds, versions=("31", "311", "5"), only_v5=()):
    """Puts a class for each kind of test and each version into a module."""
    for kind in (*kinds, *only_v5):
        for version in (versions if kind in kinds else ("5",)):
            name = f"{kind.__name__}V{version}"
            namespace[name] = type(name, (base, kind, unittest.TestCase),
                                   {"version": version, "__module__": namespace["__name__"]})
