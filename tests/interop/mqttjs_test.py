#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""mqtt.js (Debian's node-mqtt) against the broker: every feature of all three versions."""
from pathlib import Path

import features
import features5
from peers import Driver, Peers
from processes import main, require


class MqttJs:
    driver = None  # one for all tests: node takes its time to start

    def make_broker(self, *lines, anonymous):
        return self.start_broker(*lines, anonymous=anonymous)

    def make_peers(self, port):
        if MqttJs.driver is None:
            # Debian's modules lie where only Debian's own node looks.
            MqttJs.driver = Driver(
                require("node"), Path(__file__).with_name("mqttjs_driver.js"),
                environment={"NODE_PATH": "/usr/share/nodejs"})
        return Peers(MqttJs.driver, port)


def tearDownModule():
    if MqttJs.driver is not None:
        MqttJs.driver.close()


features.making(globals(), MqttJs, features.Every, features.Access, only_v5=features5.ALL)

if __name__ == "__main__":
    main()
