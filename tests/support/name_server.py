# SPDX-License-Identifier: Apache-2.0
"""A name server (RFC 1035) with SRV and A records for tests, and a world of its own for it: name
servers answer on port 53 of an address in /etc/resolv.conf, so a test that has one runs in
namespaces of mounts and of the network (see world())."""
import fcntl
import socket
import struct
import subprocess
import sys
import threading

A, SRV = 1, 33
NO_SUCH_NAME = 3


def domain(name):
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in name.split(".") if label) + b"\0"


def srv(priority, weight, port, host):
    return SRV, struct.pack("!HHH", priority, weight, port) + domain(host)


def address(text):
    return A, socket.inet_aton(text)


class NameServer:
    """`records`: name -> list of what srv() and address() return. `asked` are the names of
    questions for SRV records."""

    def __init__(self, records):
        self.records, self.asked = records, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            question, peer = self.socket.recvfrom(4096)
            self.socket.sendto(self._answer(question), peer)

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name = ".".join(labels).lower()
        kind = int.from_bytes(question[at + 1:at + 3], "big")
        if kind == SRV:
            self.asked.append(name)
        found = self.records.get(name)
        answers = [data for one, data in found or [] if one == kind]
        code = 0x8180 | (NO_SUCH_NAME if found is None else 0)
        out = question[:2] + struct.pack("!HHHHH", code, 1, len(answers), 0, 0)
        out += question[12:at + 5]
        for data in answers:
            out += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 5, len(data)) + data
        return out


def world(script, *arguments):
    """Runs a Python file where 127.0.0.1 is the name server and nothing else is reachable; its
    process. None where the system does not allow namespaces."""
    space = ["unshare", "--user", "--map-root-user", "--mount", "--net"]
    if subprocess.run([*space, "true"], check=False, capture_output=True).returncode != 0:
        return None
    return subprocess.run([*space, sys.executable, "-B", script, *arguments], check=False,
                          capture_output=True, timeout=60, text=True)


def enter_world(resolv_conf):
    """In the process that world() started: the file takes the place of /etc/resolv.conf, and the
    loopback interface comes up."""
    subprocess.run(["mount", "--bind", resolv_conf, "/etc/resolv.conf"], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sH14s", b"lo", 0x1 | 0x40, b"")  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS
