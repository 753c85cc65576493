# SPDX-License-Identifier: Apache-2.0
"""CoAP messages as tests look at them: read and written octet by octet (RFC 7252 §3), and a peer
that says them over UDP. Trusts nobody: what does not decode fails the test."""
import itertools
import select
import socket
import time

from processes import PATIENCE_S

CON, NON, ACK, RST = range(4)
IF_MATCH, ETAG, IF_NONE_MATCH, OBSERVE, LOCATION_PATH, URI_PATH = 1, 4, 5, 6, 8, 11
CONTENT_FORMAT, MAX_AGE, URI_QUERY, ACCEPT, LOCATION_QUERY = 12, 14, 15, 17, 20
BLOCK2, BLOCK1, SIZE1, ECHO = 23, 27, 60, 252
EMPTY, GET, POST, PUT, DELETE = "0.00", "0.01", "0.02", "0.03", "0.04"
TEXT, LINKS, XML, OCTETS, JSON, CBOR = 0, 40, 41, 42, 50, 60


def uint(value):
    """The octets of a uint option (RFC 7252 §3.2)."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def block(number, more, size):
    """The value of a Block option (RFC 7959 §2.2); `size` in octets."""
    return uint(number << 4 | more << 3 | size.bit_length() - 5)


class Silence(AssertionError):
    """Nothing has come."""


class Message:
    """A message; `options` are (number, octets) in the order of the wire."""

    def __init__(self, kind=CON, code=EMPTY, mid=0, token=b"", options=(), payload=b""):
        self.kind, self.code, self.mid, self.token = kind, code, mid, token
        self.options = list(options)
        self.payload = payload if isinstance(payload, bytes) else payload.encode()

    def all(self, number):
        return [value for option, value in self.options if option == number]

    def first(self, number):
        """The number in a uint option; None when it is absent."""
        values = self.all(number)
        return int.from_bytes(values[0], "big") if values else None

    def block(self, number):
        """(NUM, M, size in octets) of a Block option; None when it is absent."""
        value = self.first(number)
        return None if value is None else (value >> 4, value >> 3 & 1, 16 << (value & 7))

    @property
    def path(self):
        return [value.decode() for value in self.all(URI_PATH)]

    @property
    def is_request(self):
        return self.code.startswith("0.") and self.code != EMPTY

    def encode(self):
        major, minor = map(int, self.code.split("."))
        out = bytes([0x40 | self.kind << 4 | len(self.token), major << 5 | minor])
        out += self.mid.to_bytes(2, "big") + self.token
        before = 0
        for number, value in sorted(self.options, key=lambda option: option[0]):
            (delta, more), (length, much) = nibble(number - before), nibble(len(value))
            out += bytes([delta << 4 | length]) + more + much + value
            before = number
        return out + (b"\xff" + self.payload if self.payload else b"")

    def __repr__(self):
        kind = ("CON", "NON", "ACK", "RST")[self.kind]
        return (f"<{kind} {self.code} mid={self.mid} token={self.token.hex()} "
                f"{self.options} {self.payload[:40]!r} ({len(self.payload)})>")


def nibble(value):
    if value < 13:
        return value, b""
    return (13, bytes([value - 13])) if value < 269 else (14, (value - 269).to_bytes(2, "big"))


def decode(datagram):
    """A Message of its octets; AssertionError when they are none."""
    assert len(datagram) >= 4 and datagram[0] >> 6 == 1, datagram
    length = datagram[0] & 15
    assert length <= 8 and len(datagram) >= 4 + length, datagram
    message = Message(datagram[0] >> 4 & 3, f"{datagram[1] >> 5}.{datagram[1] & 31:02}",
                      int.from_bytes(datagram[2:4], "big"), datagram[4:4 + length])
    at, number = 4 + length, 0

    def extended(value):
        nonlocal at
        assert value < 15, datagram
        more = max(0, value - 12)
        at += more
        return value if value < 13 else int.from_bytes(datagram[at - more:at], "big") + (
            13 if value == 13 else 269)

    while at < len(datagram):
        if datagram[at] == 0xFF:
            message.payload = datagram[at + 1:]
            assert message.payload, "a payload marker with nothing behind it"
            break
        first = datagram[at]
        at += 1
        number += extended(first >> 4)
        size = extended(first & 15)
        assert at + size <= len(datagram), datagram
        message.options.append((number, datagram[at:at + size]))
        at += size
    assert message.code != EMPTY or len(datagram) == 4, "an Empty message that is not empty"
    return message


class Endpoint:
    """A peer of a server, as a script. Acknowledges nothing by itself."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.mids = itertools.count(0x1000)
        self.tokens = itertools.count(1)

    def close(self):
        self.socket.close()

    def send(self, message):
        self.socket.send(message.encode())
        return message

    def empty(self, kind, mid):
        return self.send(Message(kind, EMPTY, mid))

    def receive(self, patience=PATIENCE_S):
        """The next datagram."""
        ready, _, _ = select.select([self.socket], [], [], patience)
        if not ready:
            raise Silence(f"no message within {patience} s")
        return decode(self.socket.recv(65536))

    def request(self, code, path, options=(), payload=b"", kind=CON, token=None):
        """A request that is not sent yet. `path` is "/a/b?c=1&d=2"."""
        path, _, query = path.partition("?")
        named = [(URI_PATH, one.encode()) for one in path.split("/")[1:] if one]
        named += [(URI_QUERY, one.encode()) for one in query.split("&") if one]
        if token is None:
            token = next(self.tokens).to_bytes(2, "big")
        return Message(kind, code, next(self.mids), token, [*named, *options], payload)

    def ask(self, *words, **more):
        """Sends a request; request and next datagram."""
        request = self.send(self.request(*words, **more))
        return request, self.receive()

    def ping(self):
        """Sends a ping, and returns what has come before its Reset: an ordered connection of one
        socket shows so that nothing else was on the way."""
        ping = self.empty(CON, next(self.mids))
        came = []
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            message = self.receive()
            if message.kind == RST and message.mid == ping.mid:
                return came
            came.append(message)
        raise AssertionError("a ping is not answered")
