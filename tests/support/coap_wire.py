# SPDX-License-Identifier: Apache-2.0
"""A bare CoAP client for tests that look at messages as they are: type, code, every option. It
acknowledges what is Confirmable and trusts the server to speak correctly."""
import socket
import time

from processes import PATIENCE_S

CON, NON, ACK, RST = range(4)
GET, POST, PUT, DELETE = range(1, 5)
IF_MATCH, ETAG, IF_NONE_MATCH, OBSERVE, PATH, FORMAT = 1, 4, 5, 6, 11, 12
MAX_AGE, QUERY, ACCEPT = 14, 15, 17


def uint(number):
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _nibble(number):
    """RFC 7252 §3.1: 13 stands for a byte that follows, 14 for two."""
    if number < 13:
        return number, b""
    if number < 269:
        return 13, bytes([number - 13])
    return 14, (number - 269).to_bytes(2, "big")


def encode(type_, code, message_id, token, options, payload=b""):
    """`options`: pairs of number and octets."""
    out = bytes([0x40 | type_ << 4 | len(token), code]) + message_id.to_bytes(2, "big") + token
    last = 0
    for number, value in sorted(options, key=lambda option: option[0]):
        delta, delta_more = _nibble(number - last)
        length, length_more = _nibble(len(value))
        out += bytes([delta << 4 | length]) + delta_more + length_more + value
        last = number
    return out + (b"\xff" + payload if payload else b"")


class Message:
    """What came: type, code as 205, id, token, options by number (lists of octets), payload."""

    def __init__(self, octets):
        self.type, length = octets[0] >> 4 & 3, octets[0] & 15
        self.code = (octets[1] >> 5) * 100 + (octets[1] & 31)
        self.id = int.from_bytes(octets[2:4], "big")
        self.token = octets[4:4 + length]
        self.options, self.payload = {}, b""
        at, number = 4 + length, 0
        while at < len(octets):
            if octets[at] == 0xFF:
                self.payload = octets[at + 1:]
                return
            delta, size = octets[at] >> 4, octets[at] & 15
            at += 1
            delta, at = self._number(octets, at, delta)
            size, at = self._number(octets, at, size)
            number += delta
            self.options.setdefault(number, []).append(octets[at:at + size])
            at += size

    @staticmethod
    def _number(octets, at, nibble):
        if nibble == 13:
            return octets[at] + 13, at + 1
        if nibble == 14:
            return int.from_bytes(octets[at:at + 2], "big") + 269, at + 2
        return nibble, at

    def number(self, option):
        """An option of format uint; None where it is not there."""
        return int.from_bytes(self.options[option][0], "big") if option in self.options else None


class CoapWire:
    """One peer of a server."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.last = 0          # message id and token of the last request
        self.came = []         # what nobody has taken yet

    def close(self):
        self.socket.close()

    def send(self, method, path, *options, type_=CON, query=(), payload=b""):
        """Sends a request and returns its token."""
        self.last += 1
        token = self.last.to_bytes(4, "big")
        pairs = [(PATH, segment.encode()) for segment in path.strip("/").split("/")]
        pairs += [(QUERY, one.encode()) for one in query] + list(options)
        self.socket.send(encode(type_, method, self.last, token, pairs, payload))
        return token

    def request(self, method, path, *options, **words):
        """The response; of type_ NON or CON, with `query` and `payload`."""
        return self.next(self.send(method, path, *options, **words))

    def next(self, token):
        """The next response or notification with this token that nobody has taken."""
        until = time.monotonic() + PATIENCE_S
        while True:
            for message in self.came:
                if message.token == token and message.code:
                    self.came.remove(message)
                    return message
            self.socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                message = Message(self.socket.recv(65536))
            except TimeoutError as error:
                raise AssertionError(f"no message for {token!r} within {PATIENCE_S} s") from error
            if message.type == CON:
                self.socket.send(encode(ACK, 0, message.id, b"", ()))
            self.came.append(message)
