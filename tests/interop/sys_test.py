#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The broker's status on $SYS: mosquitto's names and formats, numbers after a known traffic,
reading over CoAP, and that clients cannot write there."""
import re

from clients import BrokerTest
from processes import Process, ProcessTest, free_port, main, require

INTEGER = r"\d+"
LOAD = r"\d+\.\d\d"
# What mosquitto publishes and we do not: nothing may be added here without a reason.
NOT_OURS = set()


class Watcher(Process):
    """mosquitto_sub on $SYS/#: the last value of each topic."""

    def values(self):
        whole = self.text().rpartition("\n")[0]
        return dict(line.split(" => ", 1) for line in whole.split("\n") if " => " in line)

    def wait_value(self, topic, wanted):
        self.wait_until(lambda: self.values().get(f"$SYS/broker/{topic}") == wanted,
                        f"{topic} {wanted}; it is {self.values().get('$SYS/broker/' + topic)}")


def watch(test, port):
    watcher = test.start(require("mosquitto_sub"), "-h", "127.0.0.1", "-p", port, "-i", "watcher",
                         "-t", "$SYS/#", "-F", "%t => %p", kind=Watcher)
    watcher.wait_for(r"^\$SYS/broker/uptime")
    return watcher


class Status(BrokerTest):
    broker_lines = ("sys_interval 1", "threads 1")

    def test_known_traffic_gives_known_numbers(self):
        watcher = watch(self, self.broker.mqtt)
        watcher.wait_value("clients/connected", "1")
        watcher.wait_value("retained messages/count", "1")  # the marker of these tests
        before = int(watcher.values()["$SYS/broker/publish/messages/received"])
        octets = int(watcher.values()["$SYS/broker/publish/bytes/received"])
        subscriber = self.subscribe("mosquitto", "-t", "count/#", "-q", "1")
        watcher.wait_value("clients/connected", "2")
        watcher.wait_value("subscriptions/count", "3")  # the watcher's, count/# and the marker
        for number in range(7):
            self.publish("mosquitto", f"count/{number}", "12345", "-q", number % 3)
        subscriber.wait_lines(7)
        watcher.wait_value("publish/messages/received", str(before + 7))
        watcher.wait_value("publish/bytes/received", str(octets + 35))
        self.publish("mosquitto", "kept/a", "x", "-r")
        watcher.wait_value("retained messages/count", "2")
        self.finish(*self.sub("mosquitto"), "-t", "away", "-q", "1", "-c", "-i", "away", "-E")
        watcher.wait_value("clients/disconnected", "1")
        watcher.wait_value("clients/total", "3")
        stored = int(watcher.values()["$SYS/broker/store/messages/count"])
        for _ in range(3):
            self.publish("mosquitto", "away", "x", "-q", "1")
        watcher.wait_value("store/messages/count", str(stored + 3))
        subscriber.close()
        watcher.wait_value("clients/connected", "1")
        self.assertGreaterEqual(int(watcher.values()["$SYS/broker/clients/maximum"]), 2)

    def test_every_value_has_mosquittos_format(self):
        values = watch(self, self.broker.mqtt).values()
        for topic, value in values.items():
            form = INTEGER
            if topic.startswith("$SYS/broker/load/"):
                form = LOAD
            form = {"$SYS/broker/version": r"hermod version \d+\.\d+\.\d+.*",
                    "$SYS/broker/uptime": INTEGER + " seconds",
                    "$SYS/broker/durability": "sync"}.get(topic, form)
            self.assertRegex(value, f"^{form}$", topic)

    def test_coap_reads_it(self):
        watch(self, self.broker.mqtt)
        self.assertRegex(self.coap("get", "$SYS/broker/version"), "hermod version")
        self.assertRegex(self.coap("get", "$SYS/broker/retained%20messages/count"), r"^\d+")

    def test_clients_cannot_write_there(self):
        watcher = watch(self, self.broker.mqtt)
        refused = self.start(*self.pub("mosquitto"), "-V", "5", "-q", "1", "-r",
                             "-t", "$SYS/broker/version", "-m", "x")
        refused.wait()
        self.assertIn("Not authorized", refused.text("stderr"))
        for version in ("311", "5"):
            for qos in (0, 2):
                self.start(*self.pub("mosquitto"), "-V", version, "-q", qos, "-r",
                           "-t", "$SYS/broker/version", "-m", "x").wait()
        self.assertIn("4.03", self.coap("put", "$SYS/broker/version", "-e", "x"))
        self.assertIn("4.03", self.coap("delete", "$SYS/broker/version"))
        self.assertRegex(self.coap("get", "$SYS/broker/version"), "hermod version")
        watcher.wait_for(r"uptime => \d+ seconds(?s:.*)uptime => \d+ seconds")
        self.assertNotIn("version => x", watcher.text())


class StatusOfTwoThreads(Status):
    broker_lines = ("sys_interval 1", "threads 2")


class BesideMosquitto(ProcessTest):
    """What a user of mosquitto watches is there, in the same form."""

    def test_every_topic_of_mosquitto_is_there(self):
        port = free_port()
        config = self.directory / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nsys_interval 1\n")
        theirs = self.start(require("mosquitto"), "-c", config)
        theirs.wait_for("mosquitto version .* running", stream="stderr")
        wanted = watch(self, port)
        wanted.wait_for(r"^\$SYS/broker/heap/maximum")
        wanted.wait_for(r"^\$SYS/broker/load/publish/received/15min")
        broker = self.start_broker("sys_interval 1")
        ours = watch(self, broker.mqtt)
        ours.wait_until(lambda: set(wanted.values()) - NOT_OURS <= set(ours.values()),
                        f"all of {sorted(set(wanted.values()) - set(ours.values()))}")
        number = re.compile(r"^\d+(\.\d\d)?( seconds)?$")
        for topic, value in wanted.values().items():
            match = number.match(value)
            mine = number.match(ours.values()[topic])
            self.assertEqual(match is None, mine is None, topic)
            if match:
                self.assertEqual([part is None for part in match.groups()],
                                 [part is None for part in mine.groups()], topic)


class Switched(BrokerTest):
    broker_lines = ("sys_interval 0",)

    def test_off_is_off(self):
        self.assertIn("4.04", self.coap("get", "$SYS/broker/version"))
        self.assertEqual(self.finish(*self.sub("mosquitto"), "-t", "$SYS/#", "-W", "1", status=27),
                         "")


if __name__ == "__main__":
    main()
