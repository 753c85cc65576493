#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Publishing and subscribing over MQTT in every mix of mosquitto's clients and Hermod's."""
import itertools
import os

from clients import BrokerTest
from processes import main

KINDS = ("mosquitto", "hermod")
MIXES = list(itertools.product(KINDS, KINDS))


class Publishing(BrokerTest):
    def test_every_mix_filter_and_qos(self):
        filters = ("Temperature/+", "Temperature/Kitchen", "Temperature/#", "#", "+/Kitchen")
        subscribers = {
            (kind, topic, qos): self.subscribe(kind, "-t", topic, "-q", qos, "-F", "%t %p %q")
            for kind in KINDS for topic, qos in zip(filters, (0, 1, 2, 0, 2))}
        sent = []
        for kind, qos in itertools.product(KINDS, (0, 1, 2)):
            self.publish(kind, "Temperature/Kitchen", f"{kind}-{qos}", "-q", qos)
            sent.append((f"{kind}-{qos}", qos))
        self.publish("hermod", "Humidity/Cellar", "not for all")
        for (kind, topic, granted), subscriber in subscribers.items():
            with self.subTest(subscriber=kind, topic=topic, qos=granted):
                expected = [f"Temperature/Kitchen {text} {min(qos, granted)}" for text, qos in sent]
                self.assertEqual(subscriber.wait_lines(len(expected)), expected)

    def test_several_topics_at_once(self):
        for kind in KINDS:
            subscriber = self.subscribe(kind, "-t", "a", "-t", "b/+", "-v")
            for topic in ("a", "b/c", "other", "b/d"):
                self.publish("mosquitto", topic, "x")
            self.assertEqual(subscriber.wait_lines(3), ["a x", "b/c x", "b/d x"])

    def test_dollar_topics_are_not_matched_by_wildcards(self):
        for kind in KINDS:
            all_topics = self.subscribe(kind, "-t", "#", "-t", "+/x", "-v")
            named = self.subscribe(kind, "-t", "$home/#", "-v")
            self.publish("mosquitto", "$home/x", "hidden")
            self.publish("mosquitto", "seen", "yes")
            self.assertEqual(named.wait_lines(1), ["$home/x hidden"])
            self.assertEqual(all_topics.wait_lines(1), ["seen yes"])

    def test_payloads_of_every_size_and_content(self):
        payloads = [bytes(range(256)), os.urandom(100_000), b"", b"x" * 3_000_000]
        file = self.directory / "payload"
        for publisher, subscriber in MIXES:
            for payload in payloads:
                with self.subTest(publisher=publisher, subscriber=subscriber, size=len(payload)):
                    file.write_bytes(payload)
                    listener = self.subscribe(subscriber, "-t", "big", "-N", "-F", "<%l>%p<end>")
                    listener.output["stdout"] = b""
                    self.finish(*self.pub(publisher), "-t", "big", "-f", file, "-q", "1")
                    listener.wait_for(b"<end>\\Z")
                    self.assertEqual(listener.output["stdout"],
                                     b"<%d>%s<end>" % (len(payload), payload))
                    listener.close()

    def test_lines_arrive_complete_and_in_order(self):
        lines = [str(number) for number in range(2000)]
        text = ("\n".join(lines) + "\n").encode()
        for (publisher, subscriber), qos in zip(MIXES, (0, 1, 2, 1)):
            with self.subTest(publisher=publisher, subscriber=subscriber, qos=qos):
                listener = self.subscribe(subscriber, "-t", "lines", "-q", qos)
                self.finish(*self.pub(publisher), "-t", "lines", "-l", "-q", qos, stdin=text)
                self.assertEqual(listener.wait_lines(len(lines)), lines)
                listener.close()

    def test_whole_input_and_last_line_without_end(self):
        listener = self.subscribe("hermod", "-t", "in", "-F", "%l:%p")
        self.finish(*self.pub("hermod"), "-t", "in", "-s", stdin=b"two\nlines\n")
        self.finish(*self.pub("hermod"), "-t", "in", "-l", stdin=b"one\n\nthree")
        self.assertEqual(listener.wait_lines(5), ["10:two", "lines", "3:one", "0:", "5:three"])


class Retained(BrokerTest):
    def test_the_last_value_is_kept_until_it_is_cleared(self):
        for publisher, subscriber in MIXES:
            with self.subTest(publisher=publisher, subscriber=subscriber):
                topic = f"kept/{publisher}/{subscriber}"
                self.publish(publisher, topic, "old", "-r")
                self.publish(publisher, topic, "new", "-r", "-q", "1")
                self.publish(publisher, topic, "not kept")
                late = self.finish(*self.sub(subscriber), "-t", f"kept/{publisher}/#", "-C", "1",
                                   "-F", "%t %p %r")
                self.assertEqual(late, f"{topic} new 1\n")
                self.finish(*self.pub(publisher), "-t", topic, "-n", "-r")
                self.assertEqual(self.finish(*self.sub(subscriber), "-t", topic, "-W", "1",
                                             status=27), "")

    def test_live_messages_do_not_say_retained(self):
        listener = self.subscribe("mosquitto", "-t", "live", "-F", "%p %r")
        self.publish("hermod", "live", "x", "-r")
        self.assertEqual(listener.wait_lines(1), ["x 0"])

    def test_retained_messages_can_be_left_out_or_removed(self):
        for topic in ("room/a", "room/b"):
            self.publish("mosquitto", topic, "kept", "-r")
        fresh = self.subscribe_and_wait("-R")
        self.publish("mosquitto", "room/c", "fresh")
        self.assertEqual(fresh.wait_lines(1), ["room/c fresh"])
        only = self.subscribe_and_wait("--retained-only")
        self.publish("mosquitto", "room/c", "fresh")
        self.assertEqual(only.wait(), 0)
        self.assertEqual(sorted(only.text().splitlines()), ["room/a kept", "room/b kept"])
        removing = self.subscribe_and_wait("--remove-retained", "-T", "room/b")
        removing.wait_for("room/a kept")
        self.publish("mosquitto", "room/c", "fresh")
        removing.wait_for("room/c fresh")
        left = self.finish(*self.sub("mosquitto"), "-t", "room/#", "-v", "-C", "1")
        self.assertEqual(left, "room/b kept\n")

    def subscribe_and_wait(self, *options):
        """hermod sub on room/#, subscribed: its word on stderr tells, since -R hides markers."""
        subscriber = self.start(*self.sub("hermod"), "-t", "room/#", "-v", "-d", *options)
        subscriber.wait_for("^Subscribed", stream="stderr")
        return subscriber


if __name__ == "__main__":
    main()
