#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Enhanced authentication of MQTT 5 by SCRAM-SHA-256: hermod serve against a client that is
written here from RFC 5802 and MQTT 5.0 alone, mqtt.js, and hermod pub and sub against it."""
import base64
import hashlib
import hmac
import os
import signal
import socket
from pathlib import Path

from clients import MARK, MARKER, Subscriber
from processes import HERMOD, PATIENCE_S, ProcessTest, main, require

METHOD = "SCRAM-SHA-256"
CONNECT, CONNACK, PUBLISH, PUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = 1, 2, 3, 4, 12, 13, 14, 15
SUCCESS, CONTINUE, AGAIN = 0x00, 0x18, 0x19
BAD_USER, NOT_AUTHORISED, BAD_METHOD, PROTOCOL_ERROR = 0x86, 0x87, 0x8C, 0x82
AUTH_METHOD, AUTH_DATA = 0x15, 0x16
# How many octets the values of other properties in CONNACK have; None: a length and a string.
PROPERTY_SIZES = {0x11: 4, 0x12: None, 0x13: 2, 0x1F: None, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1,
                  0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1}


def string(raw):
    raw = raw.encode() if isinstance(raw, str) else raw
    return len(raw).to_bytes(2, "big") + raw


def properties(block):
    """Method and data in a block of properties."""
    found = {}
    while block:
        kind, block = block[0], block[1:]
        size = PROPERTY_SIZES.get(kind)
        if size is None:
            size = 2 + int.from_bytes(block[:2], "big")
            found[kind] = block[2:size]
        block = block[size:]
    return found.get(AUTH_METHOD), found.get(AUTH_DATA)


class Scram:
    """The client of RFC 5802 §3 with SHA-256, without channel binding."""

    def __init__(self, user, password):
        self.user = user.replace("=", "=3D").replace(",", "=2C")
        self.password = password.encode()

    def first(self):
        self.nonce = base64.b64encode(os.urandom(15)).decode()
        self.bare = f"n={self.user},r={self.nonce}"
        return ("n,," + self.bare).encode()

    def answer(self, server_first):
        fields = dict(field.split("=", 1) for field in server_first.decode().split(","))
        self.iterations, self.salt = int(fields["i"]), fields["s"]
        if not fields["r"].startswith(self.nonce) or len(fields["r"]) <= len(self.nonce):
            raise AssertionError("the server's nonce does not go on with ours")
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(self.salt),
                                     self.iterations)
        client_key = self._hmac(salted, b"Client Key")
        without_proof = f"c=biws,r={fields['r']}"
        message = f"{self.bare},{server_first.decode()},{without_proof}".encode()
        signature = self._hmac(hashlib.sha256(client_key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.expected = b"v=" + base64.b64encode(self._hmac(self._hmac(salted, b"Server Key"),
                                                            message))
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    @staticmethod
    def _hmac(key, text):
        return hmac.new(key, text, "sha256").digest()


class Client:
    """A bare connection of MQTT 5."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)

    def close(self):
        self.socket.close()

    def send(self, kind, body, flags=0):
        if len(body) > 0x3FFF:
            raise ValueError("longer than these tests need")
        size = len(body)
        length = bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
        self.socket.sendall(bytes([kind << 4 | flags]) + length + body)

    def connect(self, client_id, data, method=METHOD):
        block = bytes([AUTH_METHOD]) + string(method) if method is not None else b""
        block += bytes([AUTH_DATA]) + string(data) if data is not None else b""
        self.send(CONNECT, string("MQTT") + bytes([5, 2, 0, 60, len(block)]) + block +
                  string(client_id))

    def auth(self, reason, data, method=METHOD):
        block = bytes([AUTH_METHOD]) + string(method) + bytes([AUTH_DATA]) + string(data)
        length = bytes([len(block)]) if len(block) < 128 else \
            bytes([len(block) & 0x7F | 0x80, len(block) >> 7])
        self.send(AUTH, bytes([reason]) + length + block)

    def read(self):
        """The next packet's type and body; None at the end."""
        first = self.socket.recv(1)
        if not first:
            return None
        size, shift = 0, 0
        while True:
            digit = self._read(1)[0]
            size |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                return first[0] >> 4, self._read(size)

    def said(self):
        """Type, reason code, method and data of a CONNACK, AUTH or DISCONNECT."""
        kind, body = self.read()
        code = body[1 if kind == CONNACK else 0]
        rest = body[2 if kind == CONNACK else 1:]
        if rest:
            skip = 1 if rest[0] < 128 else 2
            return (kind, code, *properties(rest[skip:]))
        return kind, code, None, None

    def _read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError("the broker has closed the connection")
            data += piece
        return data


class ScramTest(ProcessTest):
    def setUp(self):
        super().setUp()
        self.passwords = self.directory / "passwords"
        self.set_password("alice", "secret", "-c", "-H", "scram-sha-256")
        self.set_password("b,o=b é", "pass€", "-H", "scram-sha-256", "-I", "5000")
        self.set_password("old", "secret")
        self.broker = self.start_broker("threads 2", f"password_file {self.passwords}",
                                        anonymous=False)

    def set_password(self, user, password, *options):
        self.finish(HERMOD, "passwd", *options, "-b", self.passwords, user, password)

    def client(self):
        client = Client(self.broker.mqtt)
        self.addCleanup(client.close)
        return client

    def log_in(self, client_id, user, password):
        """The client, its exchange and what the broker says in the end."""
        client, scram = self.client(), Scram(user, password)
        client.connect(client_id, scram.first())
        kind, code, method, data = client.said()
        self.assertEqual((kind, code, method), (AUTH, CONTINUE, METHOD.encode()))
        client.auth(CONTINUE, scram.answer(data))
        return client, scram, client.said()

    def log_tells(self, words):
        self.broker.wait_until(lambda: words in self.broker.text("stderr"), words)


class ForeignClient(ScramTest):
    def test_both_sides_prove_that_they_know_the_password(self):
        for number, (user, password) in enumerate([("alice", "secret"), ("b,o=b é", "pass€")] * 4):
            client, scram, said = self.log_in(f"client{number}", user, password)
            self.assertEqual(said, (CONNACK, SUCCESS, METHOD.encode(), scram.expected))
            client.send(PINGREQ, b"")
            self.assertEqual(client.read(), (PINGRESP, b""))

    def test_who_does_not_is_refused_and_names_are_not_told(self):
        answers = set()
        salts = {}
        for user, password in [("alice", "Secret"), ("nobody", "secret"), ("nobody", "x"),
                               ("old", "secret")]:
            client, scram, said = self.log_in("c", user, password)
            answers.add(said)
            self.assertIsNone(client.read())
            self.assertEqual(scram.iterations, 4096)
            salts.setdefault(user, set()).add(scram.salt)
        self.assertEqual(answers, {(CONNACK, BAD_USER, None, None)})
        self.assertEqual([len(found) for found in salts.values()], [1, 1, 1])
        self.assertEqual({len(salt) for found in salts.values() for salt in found}, {24})
        self.log_tells("wrong user name or password")
        self.log_tells("hermod passwd -H scram-sha-256 FILE USER")

    def test_what_is_no_exchange_is_refused(self):
        other = self.client()
        other.connect("c", b"n,,n=alice,r=12345678", method="SCRAM-SHA-1")
        self.assertEqual(other.said()[:2], (CONNACK, BAD_METHOD))
        self.assertIsNone(other.read())
        for data in (None, b"", b"n,,n=alice", b"p=x,,n=alice,r=12345678"):
            client = self.client()
            client.connect("c", data)
            self.assertEqual(client.said()[:2], (CONNACK, PROTOCOL_ERROR), data)
            self.assertIsNone(client.read())
        early = self.client()
        early.connect("c", Scram("alice", "secret").first())
        self.assertEqual(early.said()[:2], (AUTH, CONTINUE))
        early.send(PUBLISH, string("a") + b"\0x")
        self.assertEqual(early.said()[:2], (CONNACK, PROTOCOL_ERROR))
        self.log_tells("breaks MQTT-3.1.2-30")
        self.log_tells("the authentication method that it asks for is not known")

    def test_a_recorded_exchange_opens_nothing(self):
        scram = Scram("alice", "secret")
        first = scram.first()
        client = self.client()
        client.connect("c", first)
        answer = scram.answer(client.said()[3])
        client.auth(CONTINUE, answer)
        self.assertEqual(client.said()[1], SUCCESS)
        again = self.client()
        again.connect("c", first)
        self.assertEqual(again.said()[1], CONTINUE)
        again.auth(CONTINUE, answer)
        self.assertEqual(again.said()[:2], (CONNACK, PROTOCOL_ERROR))

    def test_a_client_authenticates_again_and_stays_itself(self):
        client, scram, _ = self.log_in("c", "alice", "secret")
        for _ in range(2):
            client.auth(AGAIN, scram.first())
            kind, code, _, data = client.said()
            self.assertEqual((kind, code), (AUTH, CONTINUE))
            client.send(PINGREQ, b"")  # goes on meanwhile
            self.assertEqual(client.read(), (PINGRESP, b""))
            client.auth(CONTINUE, scram.answer(data))
            self.assertEqual(client.said(), (AUTH, SUCCESS, METHOD.encode(), scram.expected))
        for user, password in [("b,o=b é", "pass€"), ("alice", "wrong")]:
            client, _, _ = self.log_in("c", "alice", "secret")
            other = Scram(user, password)
            client.auth(AGAIN, other.first())
            client.auth(CONTINUE, other.answer(client.said()[3]))
            self.assertEqual(client.said()[:2], (DISCONNECT, NOT_AUTHORISED))
            self.assertIsNone(client.read())

    def test_again_by_another_method_or_without_one_is_a_protocol_error(self):
        client, scram, _ = self.log_in("c", "alice", "secret")
        client.auth(AGAIN, scram.first(), method="SCRAM-SHA-1")
        self.assertEqual(client.said()[:2], (DISCONNECT, PROTOCOL_ERROR))
        self.assertIsNone(client.read())
        self.broker = self.start_broker(f"password_file {self.passwords}")
        plain = self.client()
        plain.connect("c", None, method=None)
        self.assertEqual(plain.said()[:3], (CONNACK, SUCCESS, None))
        plain.auth(AGAIN, scram.first())
        self.assertEqual(plain.said()[:2], (DISCONNECT, PROTOCOL_ERROR))
        self.assertIsNone(plain.read())

    def test_access_rules_are_those_of_who_has_proven_itself(self):
        rules = self.directory / "acl"
        rules.write_text("user alice\ntopic a/#\nuser b,o=b\ntopic b/#\npattern %u/%c/#\n")
        self.broker = self.start_broker(f"password_file {self.passwords}", f"acl_file {rules}",
                                        anonymous=False)
        client, _, _ = self.log_in("c", "alice", "secret")
        for number, (topic, allowed) in enumerate(
                [("a/x", True), ("b/x", False), ("alice/c/x", True), ("alice/d/x", False)], 1):
            client.send(PUBLISH, string(topic) + number.to_bytes(2, "big") + b"\0x", flags=2)
            kind, body = client.read()
            self.assertEqual((kind, body[:2]), (PUBACK, number.to_bytes(2, "big")))
            self.assertEqual(NOT_AUTHORISED not in body[2:3], allowed, topic)

    def test_an_exchange_that_is_not_finished_ends_with_the_time_to_log_in(self):
        self.broker = self.start_broker(f"password_file {self.passwords}", "connect_timeout 1",
                                        anonymous=False)
        client = self.client()
        client.connect("c", Scram("alice", "secret").first())
        self.assertEqual(client.said()[:2], (AUTH, CONTINUE))
        self.assertIsNone(client.read())

    def test_a_changed_password_ends_who_came_in_with_the_old_one(self):
        changed, _, _ = self.log_in("c", "alice", "secret")
        stays, _, _ = self.log_in("d", "b,o=b é", "pass€")
        self.set_password("alice", "new", "-H", "scram-sha-256")
        self.broker.signal(signal.SIGHUP)
        self.assertEqual(changed.said()[:2], (DISCONNECT, NOT_AUTHORISED))
        stays.send(PINGREQ, b"")
        self.assertEqual(stays.read(), (PINGRESP, b""))
        self.assertEqual(self.log_in("c", "alice", "secret")[2][1], BAD_USER)
        self.assertEqual(self.log_in("c", "alice", "new")[2][1], SUCCESS)


class MqttJs(ScramTest):
    def words(self, password):
        # Debian's modules lie where only Debian's own node looks.
        node = self.start(require("node"), Path(__file__).with_name("mqttjs_scram.js"),
                          self.broker.mqtt, "alice", password, "js", "by mqtt.js",
                          environment={"NODE_PATH": "/usr/share/nodejs"})
        status = node.wait()
        return status, node.text()

    def test_it_logs_in_and_the_server_proves_itself(self):
        self.assertEqual(self.words("secret"), (0, "the server knows the password\npublished\n"))

    def test_a_wrong_password_is_refused(self):
        self.assertEqual(self.words("guess"),
                         (1, "Connection refused: Bad User Name or Password\n"))


class OwnClients(ScramTest):
    def words(self, command, *words, user="alice", password="secret"):
        return (HERMOD, command, "-h", "127.0.0.1", "-p", self.broker.mqtt, "-u", user, "-P",
                password, *words)

    def fails(self, *words, **login):
        process = self.start(*self.words("pub", "-t", "a", "-m", "x", *words, **login))
        self.assertNotEqual(process.wait(), 0)
        return process.text("stderr")

    def test_pub_and_sub_prove_themselves(self):
        auth = ("--auth", METHOD)
        self.finish(*self.words("pub", *auth, "-t", MARKER, "-m", MARK, "-r"))
        subscriber = self.start(*self.words("sub", *auth, "-v", "-t", MARKER, "-t", "a",
                                            user="b,o=b é", password="pass€"), kind=Subscriber)
        subscriber.wait_ready()
        self.finish(*self.words("pub", *auth, "-t", "a", "-m", "proven", "-q", "1"))
        self.finish(*self.words("pub", "-t", "a", "-m", "plain", "-q", "2"))  # the same line
        subscriber.wait_until(lambda: "a plain" in subscriber.text(), "both messages")
        self.assertIn("a proven", subscriber.text())

    def test_failures_say_what_and_how_to_mend_it(self):
        self.assertIn("bad user name or password. Check -u and -P",
                      self.fails("--auth", METHOD, password="wrong"))
        self.assertIn("hermod passwd -H scram-sha-256", self.fails("--auth", METHOD, user="old"))
        self.assertIn("bad user name or password", self.fails(password="wrong"))
        self.assertIn("it holds a control character", self.fails("--auth", METHOD, password="a\n"))
        self.assertIn("only SCRAM-SHA-256 is known", self.fails("--auth", "PLAIN"))
        self.broker = self.start_broker()  # without users
        self.assertIn("it does not know SCRAM-SHA-256. Give it a password_file",
                      self.fails("--auth", METHOD))


if __name__ == "__main__":
    main()
