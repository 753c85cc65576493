#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One topic space: what is put over CoAP reaches MQTT and the other way round, with libcoap's and
mosquitto's clients and Hermod's own."""
from clients import BrokerTest
from processes import HERMOD, main

KINDS = ("mosquitto", "hermod")


class CoapAndMqtt(BrokerTest):
    def hermod_url(self, topic):
        return f"coap://127.0.0.1:{self.broker.coap}/{topic}"

    def test_put_reaches_subscribers(self):
        subscribers = [self.subscribe(kind, "-t", topic, "-v")
                       for kind in KINDS for topic in ("Temperature/+", "#", "Temperature/Kitchen")]
        self.coap("put", "Temperature/Kitchen", "-e", "34.5")
        self.finish(HERMOD, "pub", self.hermod_url("Temperature/Kitchen"), "-m", "34.6")
        self.finish(HERMOD, "pub", self.coap_url("Temperature/Kitchen"), "-m", "34.7", "-q", "0")
        for subscriber in subscribers:
            self.assertEqual(subscriber.wait_lines(3), [
                f"Temperature/Kitchen {value}" for value in ("34.5", "34.6", "34.7")])

    def test_observers_see_what_mqtt_publishes(self):
        observer = self.observe("Temperature/Kitchen")
        ours = self.start(HERMOD, "sub", self.coap_url("Temperature/Kitchen"), "-v")
        ours.wait_for("Temperature/Kitchen value-before")
        for number, kind in enumerate(KINDS):
            self.publish(kind, "Temperature/Kitchen", f"{kind}-{number}", "-q", number)
            observer.wait_for(f"{kind}-{number}")
            ours.wait_for(f"Temperature/Kitchen {kind}-{number}")

    def test_observers_see_what_coap_puts(self):
        observer = self.observe("room/light")
        self.coap("put", "room/light", "-e", "on")
        observer.wait_for("on")
        self.finish(HERMOD, "pub", self.coap_url("room/light"), "-m", "off")
        observer.wait_for("off")

    def test_several_topics_are_observed_at_once(self):
        ours = self.start(HERMOD, "sub", self.coap_url("a"), "-t", "b", "-v", "-d")
        ours.wait_for("Observing 'a'", stream="stderr")
        ours.wait_for("Observing 'b'", stream="stderr")
        self.publish("mosquitto", "b", "1")
        ours.wait_for("^b 1\n")
        self.publish("mosquitto", "a", "2")
        ours.wait_for("^a 2\n")

    def test_get_answers_the_retained_value(self):
        self.assertIn("4.04", self.coap("get", "nothing/here"))
        self.publish("mosquitto", "kept", "value", "-r")
        self.assertIn("value", self.coap("get", "kept"))
        self.coap("put", "put/over/coap", "-e", "kept too")
        late = self.finish(*self.sub("mosquitto"), "-t", "put/#", "-C", "1", "-F", "%t %p %r")
        self.assertEqual(late, "put/over/coap kept too 1\n")

    def test_delete_removes_the_retained_value(self):
        for remove in (lambda: self.coap("delete", "gone"),
                       lambda: self.finish(HERMOD, "pub", self.coap_url("gone"), "-n")):
            self.publish("mosquitto", "gone", "value", "-r")
            remove()
            self.assertIn("4.04", self.coap("get", "gone"))
            self.assertEqual(self.finish(*self.sub("mosquitto"), "-t", "gone", "-W", "1",
                                         status=27), "")

    def test_lines_over_coap_keep_their_order(self):
        listener = self.subscribe("mosquitto", "-t", "lines")
        lines = [str(number) for number in range(200)]
        self.finish(HERMOD, "pub", self.coap_url("lines"), "-l", stdin="\n".join(lines).encode())
        self.assertEqual(listener.wait_lines(len(lines)), lines)

    def test_sub_counts_and_times_out_over_coap(self):
        self.publish("mosquitto", "one", "value", "-r")
        self.assertEqual(self.finish(HERMOD, "sub", self.coap_url("one"), "-C", "1"), "value\n")
        silent = self.finish(HERMOD, "sub", self.coap_url("none"), "-W", "1", status=27)
        self.assertEqual(silent, "")
        self.assertEqual(self.finish(HERMOD, "sub", self.coap_url("one"), "-R", "-E"), "")


if __name__ == "__main__":
    main()
