# SPDX-License-Identifier: Apache-2.0
"""A server that writes down what an MQTT client says to it and answers as told, so that two clients
can be compared octet by octet. It serves one client at a time and trusts it to speak correctly."""
import socket
import threading

(CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE,
 UNSUBACK, PINGREQ, PINGRESP, DISCONNECT) = range(1, 15)
V5 = 5


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return len(raw).to_bytes(2, "big") + raw


def varint(value):
    out = b""
    while True:
        value, digit = divmod(value, 128)
        out += bytes([digit | (0x80 if value else 0)])
        if not value:
            return out


def packet(first, body):
    return bytes([first]) + varint(len(body)) + body


class Message:
    """What the server publishes once the client has subscribed."""

    def __init__(self, topic, payload=b"", qos=0, retain=False, properties=b""):
        self.topic, self.qos, self.retain, self.properties = topic, qos, retain, properties
        self.payload = payload if isinstance(payload, bytes) else payload.encode()

    def encode(self, packet_id, version):
        body = text(self.topic)
        if self.qos:
            body += packet_id.to_bytes(2, "big")
        if version == V5:
            body += varint(len(self.properties)) + self.properties
        return packet(PUBLISH << 4 | self.qos << 1 | self.retain, body + self.payload)


class Recorder:
    """Listens on a port of its own. `packets` is what the client has sent, one entry a packet."""

    def __init__(self, messages=(), code=0, connack=b"", grant=None, refuse=None, limit=1):
        self.messages, self.code, self.connack = messages, code, connack
        self.grant = grant  # of SUBACK, instead of what was asked for
        self.refuse = refuse  # the reason code of PUBACK and PUBREC (MQTT 5)
        self.packets = []
        self.version = None
        self.limit = limit
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        """Nobody comes any more: what was said is complete."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # closed already
        self.thread.join(5)
        self.listener.close()

    def _serve(self):
        for _ in range(self.limit):
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(20)
                try:
                    self._talk(client)
                except OSError:
                    self.packets.append(b"(reset)")

    def _talk(self, client):
        while True:
            first = self._read(client, 1)
            if not first:
                return
            size, shift = 0, 0
            head = first
            while True:
                digit = self._read(client, 1)
                head += digit
                size |= (digit[0] & 0x7F) << shift
                shift += 7
                if digit[0] < 0x80:
                    break
            body = self._read(client, size)
            self.packets.append(head + body)
            answer = self._answer(first[0] >> 4, first[0], body)
            if answer:
                client.sendall(answer)
            if self.code and first[0] >> 4 == CONNECT:
                return

    @staticmethod
    def _read(client, count):
        data = b""
        while len(data) < count:
            piece = client.recv(count - len(data))
            if not piece:
                return data
            data += piece
        return data

    def _answer(self, kind, first, body):
        no_properties = b"\0" if self.version == V5 else b""
        if kind == CONNECT:
            name = int.from_bytes(body[:2], "big")
            self.version = body[2 + name]
            properties = b""
            if self.version == V5:
                properties = varint(len(self.connack)) + self.connack
            return packet(CONNACK << 4, bytes([0, self.code]) + properties)
        if kind == SUBSCRIBE:
            grants = self._grants(body)
            out = packet(SUBACK << 4, body[:2] + no_properties + bytes(grants))
            for number, message in enumerate(self.messages, 1):
                out += message.encode(number, self.version)
            return out
        if kind == UNSUBSCRIBE:
            count = len(self._filters(body, 0))
            return packet(UNSUBACK << 4,
                          body[:2] + (no_properties + bytes(count) if no_properties else b""))
        if kind == PUBLISH:
            return self._acknowledge(first, body)
        if kind == PUBREL:
            return packet(PUBCOMP << 4, body[:2])
        if kind == PUBREC:
            return packet(PUBREL << 4 | 2, body[:2])
        return packet(PINGRESP << 4, b"") if kind == PINGREQ else b""

    def _acknowledge(self, first, body):
        qos = first >> 1 & 3
        if qos == 0:
            return b""
        at = 2 + int.from_bytes(body[:2], "big")
        reason = b"" if self.refuse is None or self.version != V5 else bytes([self.refuse])
        return packet((PUBACK if qos == 1 else PUBREC) << 4, body[at:at + 2] + reason)

    def _filters(self, body, options):
        """Where each filter of a request ends."""
        at = 2
        if self.version == V5:
            at += 1 + body[2]  # properties are short here
        ends = []
        while at < len(body):
            at += 2 + int.from_bytes(body[at:at + 2], "big")
            ends.append(at)
            at += options
        return ends

    def _grants(self, body):
        return [body[end] & 3 if self.grant is None else self.grant
                for end in self._filters(body, 1)]


# Octets of a property's value by its identifier (MQTT 5.0 table 2-4); others are texts.
SIZES = {1: 1, 2: 4, 17: 4, 19: 2, 23: 1, 24: 4, 25: 1, 33: 2, 34: 2, 35: 2, 36: 1, 37: 1, 39: 4,
         40: 1, 41: 1, 42: 1}
SUBSCRIPTION_IDENTIFIER, USER_PROPERTY = 11, 38


def read_varint(data, at):
    value, shift = 0, 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def read_properties(data, at):
    """([(identifier, value)] in the order of identifiers, which means nothing, and the end)."""
    size, at = read_varint(data, at)
    end, found = at + size, []
    while at < end:
        identifier, begin = data[at], at + 1
        if identifier == SUBSCRIPTION_IDENTIFIER:
            _, at = read_varint(data, begin)
        elif identifier in SIZES:
            at = begin + SIZES[identifier]
        else:
            at = begin
            for _ in range(2 if identifier == USER_PROPERTY else 1):
                at += 2 + int.from_bytes(data[at:at + 2], "big")
        found.append((identifier, bytes(data[begin:at])))
    return sorted(found, key=lambda one: one[0]), end


def meaning(data, version):
    """A packet with its properties taken apart, so that their order does not count."""
    kind = data[0] >> 4
    _, begin = read_varint(data, 1)
    if version != V5 or kind not in (CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT):
        return data
    at = begin
    if kind == CONNECT:
        at += 2 + int.from_bytes(data[at:at + 2], "big") + 4
    elif kind == PUBLISH:
        at += 2 + int.from_bytes(data[at:at + 2], "big") + (2 if data[0] >> 1 & 3 else 0)
    elif kind == DISCONNECT:
        at += 1
    else:
        at += 2
    if at >= len(data):
        return data
    properties, end = read_properties(data, at)
    rest = data[end:]
    if kind == CONNECT and data[begin + 7] & 4:  # a will
        size = 2 + int.from_bytes(rest[:2], "big")
        will, end = read_properties(rest, size)
        properties, rest = properties + will, rest[:size] + rest[end:]
    return data[:1] + data[begin:at], properties, rest
