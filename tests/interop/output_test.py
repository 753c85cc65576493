#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`hermod sub` prints what mosquitto_sub prints, byte for byte, for the same messages."""
import re

from clients import BrokerTest
from processes import main

# Widths that every payload fits in: a longer one is cut by mosquitto_sub 2.0.11.
FORMATS = ("%t %p", "%t|%q|%r|%l|%m", "%x %X", "[%20t][%-20t][%.3t][%20.2t]",
           "[%40p][%-40p][%040p]", "[%05l][%-5l][%5m]", "%%@@\\n\\t\\r\\\\", "%A%C%D%E%F%P%R%S",
           "[%4A][%4C][%4D][%4P][%4S]", "", "@Y @q")


class SameOutput(BrokerTest):
    def setUp(self):
        super().setUp()
        for number, payload in enumerate(("34.5", "{\"a\": 1}", "é\t\"\\\x01", "x" * 40)):
            self.publish("mosquitto", f"same/{number}/\"é\"", payload, "-r", "-q", number % 3)
        self.publish("mosquitto", "last", "end", "-r")

    def output(self, kind, *options):
        return self.finish(*self.sub(kind), "-t", "same/+/+", *options, "-C", "4")

    def same(self, *options):
        self.assertEqual(sorted(self.output("hermod", *options).splitlines()),
                         sorted(self.output("mosquitto", *options).splitlines()), options)

    def test_plain_and_verbose(self):
        self.same()
        self.same("-v")
        self.same("-T", "nothing", "-q", "2", "-v")

    def test_without_line_ends(self):
        for options in (("-N",), ("-N", "-v")):
            self.assertEqual(len(self.output("hermod", *options)),
                             len(self.output("mosquitto", *options)))

    def test_formats(self):
        for text in FORMATS:
            with self.subTest(format=text):
                self.same("-F", text, "-q", "0")

    def test_json(self):
        """All but the time, whose zone mosquitto_sub 2.0.11 writes as "Z+0000"."""
        def lines(kind, letter, topic):
            options = ("-t", topic, "-F", f"%{letter}", "-C", "1", "-q", "2")
            text = self.finish(*self.sub(kind), *options)
            return re.sub(r'"tst":"[^"]*"', "", text)
        for number in range(4):
            topic = f"same/{number}/+"
            self.assertEqual(lines("hermod", "j", topic), lines("mosquitto", "j", topic))
        self.assertEqual(lines("hermod", "J", "same/1/+"), lines("mosquitto", "J", "same/1/+"))

    def test_empty_messages(self):
        for options in ((), ("-v",), ("-F", "<%p>")):
            both = [self.subscribe(kind, "-t", "empty", *options)
                    for kind in ("hermod", "mosquitto")]
            self.finish(*self.pub("mosquitto"), "-t", "empty", "-n")
            self.publish("mosquitto", "empty", "end")
            for subscriber in both:
                subscriber.wait_for("end.*\n")
            self.assertEqual(both[0].text(), both[1].text())


if __name__ == "__main__":
    main()
