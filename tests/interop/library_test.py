#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Our client library against our broker: every feature of all three versions. CLIENT_DRIVER names
the driver."""
import features
import features5
from library_peers import LibraryPeers, tearDownModule  # noqa: F401
from processes import main


class Library(LibraryPeers):
    def make_broker(self, *lines, anonymous):
        return self.start_broker(*lines, anonymous=anonymous)


features.making(globals(), Library, *features.ALL, only_v5=features5.ALL)

if __name__ == "__main__":
    main()
