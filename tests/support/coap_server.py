# SPDX-License-Identifier: Apache-2.0
"""Servers that CoAP clients are tested against: libcoap's, and one that answers as a test says."""
import contextlib
import socket
import threading
import time

from processes import PATIENCE_S, Process, free_port, require


class LibcoapServer(Process):
    """libcoap's coap-server on a free port: /, /time (observable), /async, /example_data, and up to
    100 resources that a PUT creates."""

    def __init__(self, *options):
        self.port = free_port(socket.SOCK_DGRAM)
        super().__init__(require("coap-server-notls"), "-A", "127.0.0.1", "-p", self.port,
                         "-d", "100", *options)
        self._wait_for_answer()

    def _wait_for_answer(self):
        """Pings until there is a Reset: what the server prints would fill its pipe."""
        until = time.monotonic() + PATIENCE_S
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("127.0.0.1", self.port))
            probe.settimeout(0.02)
            while time.monotonic() < until:
                with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                    probe.send(bytes([0x40, 0, 0, 1]))
                    if probe.recv(64) == bytes([0x70, 0, 0, 1]):
                        return
        self._fail("does not answer")

    def url(self, path=""):
        return f"coap://127.0.0.1:{self.port}/{path}"


class ScriptedServer:
    """Answers each datagram with those that `answer` makes of it. Keeps what came."""

    def __init__(self, answer):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.answer = answer
        self.requests = []
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        while True:
            request, peer = self.socket.recvfrom(65536)
            if not request:
                return
            self.requests.append(request)
            for datagram in self.answer(request):
                self.socket.sendto(datagram, peer)

    def url(self, path=""):
        return f"coap://127.0.0.1:{self.port}/{path}"

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stop:
            stop.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join()
        self.socket.close()


def piggybacked(request, code, rest=b""):
    """An Acknowledgement with a response; `rest` are options and payload."""
    token = request[4:4 + (request[0] & 15)]
    return bytes([0x60 | len(token), code]) + request[2:4] + token + rest


def reset(request):
    return bytes([0x70, 0]) + request[2:4]
