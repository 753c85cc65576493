#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sessions, wills and takeover, with mosquitto's clients and Hermod's."""
import itertools
import signal

from clients import BrokerTest
from processes import main

KINDS = ("mosquitto", "hermod")


class Sessions(BrokerTest):
    def test_kept_sessions_receive_what_came_while_they_were_away(self):
        for number, (first, second) in enumerate(itertools.product(KINDS, KINDS)):
            with self.subTest(before=first, after=second):
                topic, name = f"queued/{number}", f"client-{number}"
                session = ("-c", "-i", name, "-q", "2", "-t", topic)
                self.finish(*self.sub(first), *session, "-E")
                self.publish("mosquitto", topic, "lost", "-q", "0")
                for qos in (1, 2, 1):
                    self.publish("hermod", topic, f"q{qos}", "-q", qos)
                back = self.finish(*self.sub(second), *session, "-C", "3", "-F", "%p %q")
                received = back.splitlines()
                if second == "mosquitto":  # it hands QoS 2 over after PUBREL, behind what followed
                    received.sort(key=["q1 1", "q2 2"].index)
                    self.assertEqual(received, ["q1 1", "q1 1", "q2 2"])
                else:
                    self.assertEqual(received, ["q1 1", "q2 2", "q1 1"])

    def test_clean_sessions_forget(self):
        for kind in KINDS:
            self.finish(*self.sub(kind), "-c", "-i", "tidy", "-q", "1", "-t", "tidy", "-E")
            self.finish(*self.sub(kind), "-i", "tidy", "-q", "1", "-t", "other", "-E")
            self.publish("mosquitto", "tidy", "forgotten", "-q", "1")
            self.assertEqual(self.finish(*self.sub(kind), "-c", "-i", "tidy", "-q", "1", "-t",
                                         "other", "-W", "1", status=27), "")

    def test_unsubscribing_from_a_kept_session(self):
        for kind in KINDS:
            name = f"leaver-{kind}"
            self.finish(*self.sub(kind), "-c", "-i", name, "-q", "1", "-t", "u", "-E")
            leaver = self.start(*self.sub("hermod"), "-c", "-i", name, "-q", "1", "-t", "other",
                                "-U", "u", "-E", "-d")
            self.assertEqual(leaver.wait(), 0)
            self.assertIn("received UNSUBACK", leaver.text("stderr"))
            self.publish("mosquitto", "u", "unwanted", "-q", "1")
            self.assertEqual(self.finish(*self.sub(kind), "-c", "-i", name, "-q", "1", "-t",
                                         "other", "-W", "1", status=27), "")

    def test_a_second_client_takes_over(self):
        for kind in KINDS:
            first = self.subscribe("hermod", "-i", f"twin-{kind}", "-t", "twin")
            second = self.subscribe(kind, "-i", f"twin-{kind}", "-t", "twin")
            self.assertEqual(first.wait(), 1)
            self.assertIn("Another client may have come with the same id", first.text("stderr"))
            self.publish("mosquitto", "twin", "for the second")
            self.assertEqual(second.wait_lines(1), ["for the second"])

    def test_wills_are_published_for_lost_clients_only(self):
        for kind in KINDS:
            topic = f"will/{kind}"
            witness = self.subscribe("mosquitto", "-t", f"{topic}/#", "-F", "%t %p %q", "-q", "2")
            options = ("--will-topic", topic, "--will-payload", "lost", "--will-qos", "1",
                       "--will-retain", "-t", "x")
            polite = self.subscribe(kind, *options)
            polite.signal(signal.SIGINT)
            self.assertEqual(polite.wait(), 130 if kind == "hermod" else 0)
            lost = self.subscribe(kind, *options)
            lost.signal(signal.SIGKILL)
            lost.wait()
            witness.wait_for("lost")
            self.publish("mosquitto", f"{topic}/other", "end")
            self.assertEqual(witness.wait_lines(2), [f"{topic} lost 1", f"{topic}/other end 0"])
            kept = self.finish(*self.sub("hermod"), "-t", topic, "-C", "1", "-F", "%p %r")
            self.assertEqual(kept, "lost 1\n")


class Limits(BrokerTest):
    broker_lines = ("max_queued_messages 5", "max_packet_size 1000")

    def test_queues_are_bounded(self):
        session = ("-c", "-i", "slow", "-q", "1", "-t", "many")
        self.finish(*self.sub("mosquitto"), *session, "-E")
        self.finish(*self.pub("mosquitto"), "-t", "many", "-q", "1", "-l",
                    stdin="\n".join(map(str, range(20))).encode())
        back = self.finish(*self.sub("mosquitto"), *session, "-W", "2", status=27)
        self.assertEqual(back.splitlines(), ["0", "1", "2", "3", "4"])

    def test_too_large_packets_end_the_connection(self):
        refused = self.start(*self.pub("hermod"), "-t", "large", "-q", "1", "-m", "x" * 2000)
        self.assertEqual(refused.wait(), 1)
        self.assertIn("closed the connection", refused.text("stderr"))
        self.publish("hermod", "small", "x" * 900, "-q", "1")


if __name__ == "__main__":
    main()
