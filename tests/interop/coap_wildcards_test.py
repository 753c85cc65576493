#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Observing all topics that match a filter: Hermod's own client and command line, and libcoap's
client, which shows Location-Path."""
from clients import BrokerTest
from processes import HERMOD, main, require


class Wildcards(BrokerTest):
    def observe_filter(self, path, *options):
        """libcoap's client, once its observation has been confirmed."""
        process = self.start(require("coap-client-notls"), "-v", "6", "-B", "20", "-s", "15",
                             *options, f"coap://127.0.0.1:{self.broker.coap}{path}")
        process.wait_for(r"ACK c:2\.05")
        return process

    def test_our_client_names_each_topic(self):
        self.publish("mosquitto", "room/1", "there", "-r")
        process = self.start(HERMOD, "sub", "-v", f"coap://127.0.0.1:{self.broker.coap}/room/+")
        process.wait_for("room/1 there")
        self.publish("mosquitto", "room/2", "second")
        process.wait_for("room/2 second")
        self.coap("put", "room/3", "-e", "third")
        process.wait_for("room/3 third")
        self.publish("mosquitto", "hall/1", "elsewhere")
        self.publish("mosquitto", "room/1/low", "elsewhere")
        self.publish("mosquitto", "room/1", "again")
        process.wait_for("room/1 again")
        self.assertNotIn("elsewhere", process.text())

    def test_our_client_fetches_the_rest_of_large_values(self):
        large = "".join(f"{i:07d}," for i in range(400))
        process = self.start(HERMOD, "sub", "-v", f"coap://127.0.0.1:{self.broker.coap}/big/#")
        self.publish("mosquitto", "big", "parent", "-r")
        process.wait_for("big parent")
        self.publish("mosquitto", "big/live", large)
        process.wait_for(f"big/live {large}")
        self.publish("mosquitto", "big/kept", large, "-r")
        process.wait_for(f"big/kept {large}")

    def test_libcoaps_client_sees_location_path(self):
        process = self.observe_filter("/ps/data/%23")
        self.publish("mosquitto", "a/b", "x")
        process.wait_for("Location-Path:data, Location-Path:a, Location-Path:b,.* 'x'")

    def test_a_filter_is_observed_and_nothing_else(self):
        for method in ("get", "put", "delete"):
            options = ("-e", "x") if method == "put" else ()
            process = self.start(require("coap-client-notls"), "-B", "10", "-m", method, *options,
                                 f"coap://127.0.0.1:{self.broker.coap}/ps/data/+")
            process.wait()
            self.assertRegex(process.text() + process.text("stderr"), "4.00|4.05")


if __name__ == "__main__":
    main()
