# SPDX-License-Identifier: Apache-2.0
"""A network of two machines, for tests of what must not reach the real one: network namespaces of
the kernel, joined by a pair of interfaces. `here` has 10.77.0.1 and fe80::77:1 on "near", `there`
10.77.0.2 and fe80::77:2 on "far"."""
import os
import subprocess
import sys

from processes import require

THERE = "10.77.0.2"
NEAR, FAR = "near", "far"
_INSIDE = "HERMOD_TEST_NET_SPACE"


def enter():
    """Runs the program again in a namespace of its own; returns where it is there already."""
    if _INSIDE in os.environ:
        return
    # Who is not root becomes it there.
    flags = ["--net"] if os.geteuid() == 0 else ["--net", "--map-root-user"]
    os.execve(require("unshare"), ["unshare", *flags, sys.executable, *sys.argv],
              dict(os.environ, **{_INSIDE: "1"}))


class OtherMachine:
    """The second namespace: a process that keeps it, and commands that run in it."""

    def __init__(self):
        # Says that it is there, then waits for its end: the end of its input.
        self.keeper = subprocess.Popen([require("unshare"), "--net", "sh", "-c", "echo; cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.keeper.stdout.readline()
        ip = require("ip")
        self._run(ip, "link", "add", NEAR, "type", "veth", "peer", "name", FAR)
        self._run(ip, "link", "set", FAR, "netns", str(self.keeper.pid))
        for prefix, name, number in (((), NEAR, 1), (self.prefix(), FAR, 2)):
            for words in ((f"link set {name} addrgenmode none"), "link set lo up",
                          f"link set {name} up", f"addr add 10.77.0.{number}/24 dev {name}",
                          f"addr add fe80::77:{number}/64 dev {name} nodad",
                          f"route add 224.0.0.0/4 dev {name}"):
                self._run(*prefix, ip, *words.split())

    @staticmethod
    def _run(*command):
        subprocess.run(command, check=True)

    def prefix(self):
        """What to put before a command that is to run there."""
        return require("nsenter"), "--net", "--target", str(self.keeper.pid)

    def close(self):
        self.keeper.stdin.close()
        self.keeper.wait()
        self.keeper.stdout.close()
