#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Eclipse Paho's client for Python against the broker: every feature of all three versions."""
import features
import features5
from peers_paho import PahoPeers
from processes import main


class Paho:
    def make_broker(self, *lines, anonymous):
        return self.start_broker(*lines, anonymous=anonymous)

    def make_peers(self, port):
        return PahoPeers(port)


features.making(globals(), Paho, features.Every, features.Access, only_v5=features5.ALL)

if __name__ == "__main__":
    main()
