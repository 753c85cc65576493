# SPDX-License-Identifier: Apache-2.0
"""A relay between CoAP clients and a server: writes down what passes, and may lose some of it."""
import collections
import select
import socket
import threading
import time

from coap_wire import decode
from processes import PATIENCE_S

# `up`: from the client to the server; `lost`: it did not arrive; `at`: seconds.
Passed = collections.namedtuple("Passed", "up message lost at")


class Tap:
    """Clients send to `port`. Each has a socket of its own towards the server."""

    def __init__(self, server_port):
        self.server = ("127.0.0.1", server_port)
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.port = self.front.getsockname()[1]
        self.backs = {}  # of a client's address: the socket towards the server
        self.lose = lambda up, message: False
        self.passed = []
        self.news = threading.Condition()
        self.wake, self.woken = socket.socketpair()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def close(self):
        self.wake.send(b"x")
        self.thread.join()
        for one in (self.front, self.wake, self.woken, *self.backs.values()):
            one.close()

    def start(self, lose=None):
        """Forgets what has passed. `lose(up, message)` says what is lost from now on."""
        with self.news:
            self.passed.clear()
            self.lose = lose or (lambda up, message: False)

    def messages(self):
        """What has passed so far."""
        with self.news:
            return list(self.passed)

    def wait_for(self, condition, patience=PATIENCE_S):
        """Waits until condition(list of Passed) is true and returns its value."""
        until = time.monotonic() + patience
        with self.news:
            while True:
                value = condition(list(self.passed))
                if value:
                    return value
                left = until - time.monotonic()
                assert left > 0, f"not within {patience} s; passed: {self.passed}"
                self.news.wait(left)

    def _run(self):
        while True:
            ready, _, _ = select.select([self.front, self.woken, *self.backs.values()], [], [])
            if self.woken in ready:
                return
            for one in ready:
                if one is self.front:
                    datagram, client = one.recvfrom(65536)
                    self._pass(True, datagram, lambda: self._back(client).sendto(
                        datagram, self.server))
                else:
                    client = next(address for address, back in self.backs.items() if back is one)
                    datagram = one.recv(65536)
                    self._pass(False, datagram, lambda: self.front.sendto(datagram, client))

    def _back(self, client):
        if client not in self.backs:
            self.backs[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.backs[client].bind(("127.0.0.1", 0))
        return self.backs[client]

    def _pass(self, up, datagram, send):
        message = decode(datagram)
        with self.news:
            lost = self.lose(up, message)
            self.passed.append(Passed(up, message, lost, time.monotonic()))
            self.news.notify_all()
        if not lost:
            send()
