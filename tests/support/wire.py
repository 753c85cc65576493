# SPDX-License-Identifier: Apache-2.0
"""A bare MQTT 3.1.1 client for tests that ask a broker hundreds of questions: a process for each
would take too long. It knows QoS 0 and 1, and trusts the broker to speak correctly."""
import socket

from processes import PATIENCE_S

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP = 1, 2, 3, 4, 8, 9, 12, 13


def text(value):
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


class Wire:
    """One connection. `code` is CONNACK's return code, `present` that a session was there."""

    def __init__(self, port, client_id, user=None, password=None, *, clean=True):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = []  # topics of messages, in order
        self.waiting = []  # packet ids of those above QoS 0 that are not acknowledged
        self.last_id = 0
        flags = 2 if clean else 0
        flags |= (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
        body = text("MQTT") + bytes([4, flags, 0, 60]) + text(client_id)
        for value in (user, password):
            body += text(value) if value is not None else b""
        self._send(CONNECT << 4, body)
        self.present, self.code = self._wait(CONNACK)

    def publish(self, topic, payload="x", retain=False):
        """QoS 1; returns when it is acknowledged, which says nothing about being allowed."""
        self.last_id += 1
        self._send(PUBLISH << 4 | 2 | retain,
                   text(topic) + self.last_id.to_bytes(2, "big") + payload.encode())
        self._wait(PUBACK)

    def subscribe(self, *filters, qos=0):
        """Returns the codes of SUBACK."""
        self.last_id += 1
        self._send(SUBSCRIBE << 4 | 2, self.last_id.to_bytes(2, "big") +
                   b"".join(text(one) + bytes([qos]) for one in filters))
        return list(self._wait(SUBACK)[2:])

    def wait_messages(self, count):
        """Until so many have come."""
        while len(self.received) < count:
            self._wait(PUBLISH)

    def acknowledge(self):
        """PUBACK for all that came."""
        for packet_id in self.waiting:
            self._send(PUBACK << 4, packet_id.to_bytes(2, "big"))
        self.waiting.clear()

    def ping(self):
        """Everything sent before has come when this returns, where a broker has one thread."""
        self._send(PINGREQ << 4, b"")
        self._wait(PINGRESP)

    def close(self):
        self.socket.close()

    def _send(self, first, body):
        length, size = b"", len(body)
        while True:
            size, digit = divmod(size, 128)
            length += bytes([digit | (0x80 if size else 0)])
            if not size:
                break
        self.socket.sendall(bytes([first]) + length + body)

    def _wait(self, kind):
        """The body of the next packet of a kind; messages on the way are noted."""
        while True:
            first = self._read(1)[0]
            size, shift = 0, 0
            while True:
                digit = self._read(1)[0]
                size |= (digit & 0x7F) << shift
                shift += 7
                if digit < 0x80:
                    break
            body = self._read(size)
            if first >> 4 == PUBLISH:
                self._note(first, body)
            if first >> 4 == kind:
                return body

    def _note(self, first, body):
        end = 2 + int.from_bytes(body[:2], "big")
        self.received.append(body[2:end].decode())
        if first & 6:
            self.waiting.append(int.from_bytes(body[end:end + 2], "big"))

    def _read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError("the broker has closed the connection")
            data += piece
        return data
