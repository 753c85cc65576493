# SPDX-License-Identifier: Apache-2.0
"""Our client library as peers.Peer: one driver for all tests of a module."""
import os

from peers import Driver, Peers


class LibraryPeers:
    driver = None
    lacks = (
        "nobody listens",     # a publication that is not refused has succeeded: no code is shown
        "unsubscribe codes",  # likewise
        "received aliases",   # resolved inside
        "checks of text",     # what is not text is refused before it is sent
        "oversized packets",  # likewise
    )

    def make_peers(self, port):
        if LibraryPeers.driver is None:
            LibraryPeers.driver = Driver(os.environ["CLIENT_DRIVER"])
        return Peers(LibraryPeers.driver, port)


def tearDownModule():
    if LibraryPeers.driver is not None:
        LibraryPeers.driver.close()
