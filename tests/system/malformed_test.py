#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Malformed packets of every kind against a running broker: each gets the answer that its version
specifies, the connection ends, and the broker goes on as if nothing had been."""
import os
import socket
import subprocess

from processes import HERMOD, ProcessTest, main

V31, V311, V5 = 3, 4, 5
# But for the client id, which has one octet.
CONNECTS = {V31: "100f00064d5149736470030200000001", V311: "100d00044d515454040200000001",
            V5: "100e00044d51545405020000000001"}
CONNECT, CONNACK, DISCONNECT = 1, 0x20, 0xE0
# CONNACK, SUBACK, UNSUBACK, PINGRESP.
OUT_OF_PLACE = {2, 9, 11, 13}
PROTOCOL_ERROR, UNSUPPORTED_VERSION = 0x82, 0x84
PATIENCE_S = 20


class Vector:
    def __init__(self, line):
        level, self.name, code, self.statement, octets = line.split("\t")
        self.level, self.code, self.octets = int(level), int(code), bytes.fromhex(octets)
        self.type = self.octets[0] >> 4


def vectors():
    listing = subprocess.run([os.environ["MQTT_VECTORS"]], check=True, capture_output=True,
                             text=True).stdout
    return [Vector(line) for line in listing.splitlines()]


class Peer:
    """A client that says octets and hears what comes until the broker closes."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def connect(self, level, client_id=b"v"):
        self.socket.sendall(bytes.fromhex(CONNECTS[level]) + client_id)
        head = self.socket.recv(2, socket.MSG_WAITALL)
        body = self.socket.recv(head[1], socket.MSG_WAITALL)
        assert head[0] == CONNACK and body[1] == 0, (head, body)

    def say(self, octets):
        """What the broker answers before it closes; a timeout when it does not."""
        heard = b""
        try:
            self.socket.sendall(octets)
            while data := self.socket.recv(4096):
                heard += data
        except (ConnectionResetError, BrokenPipeError):
            pass  # closed while there were octets that nobody reads any more
        return heard


class Malformed(ProcessTest):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()

    def open_files(self):
        return len(os.listdir(f"/proc/{self.broker.child.pid}/fd"))

    def answer(self, vector):
        with Peer(self.broker.mqtt) as peer:
            if vector.type != CONNECT:
                peer.connect(vector.level)
            return peer.say(vector.octets)

    def check_connect(self, vector, heard):
        if vector.code == 0 or len(vector.octets) == 2:  # the version has not been said yet
            self.assertEqual(heard, b"")
        elif vector.level < V5 or vector.code == UNSUPPORTED_VERSION or vector.code < 0x80:
            # A level that nobody knows is refused in the words of 3.1.1 [MQTT-3.1.2-2].
            code = 1 if vector.code == UNSUPPORTED_VERSION else vector.code
            self.assertEqual(heard, bytes([CONNACK, 2, 0, code]))
        else:
            self.assertEqual((heard[0], heard[2], heard[3]), (CONNACK, 0, vector.code))
            self.assertIn(f"{vector.statement} is broken".encode(), heard)

    def check_other(self, vector, heard):
        if vector.level < V5:
            self.assertEqual(heard, b"")
            return
        self.assertEqual(heard[0], DISCONNECT)
        if vector.type in OUT_OF_PLACE:  # whatever is in it
            self.assertIn(heard[2], (vector.code, PROTOCOL_ERROR))
        else:
            self.assertEqual(heard[2], vector.code)
            self.assertIn(f"{vector.statement} is broken".encode(), heard)

    def test_each_vector_gets_the_specified_answer(self):
        every = vectors()
        self.assertGreater(len(every), 300)
        for vector in every:
            with self.subTest(level=vector.level, name=vector.name):
                heard = self.answer(vector)
                if vector.type == CONNECT:
                    self.check_connect(vector, heard)
                else:
                    self.check_other(vector, heard)

    def test_the_broker_goes_on(self):
        base = self.open_files()
        with Peer(self.broker.mqtt) as kept:
            kept.connect(V311, b"k")
            for vector in vectors():
                self.answer(vector)
            kept.socket.sendall(bytes.fromhex("820600010001" "6100"))
            self.assertEqual(kept.socket.recv(5, socket.MSG_WAITALL).hex(), "9003000100")
            self.finish(HERMOD, "pub", "-p", self.broker.mqtt, "-t", "a", "-m", "x", "-q", "1")
            self.assertEqual(kept.socket.recv(6, socket.MSG_WAITALL).hex(), "300400016178")
        for _ in range(100):  # round trips, in which the broker gets round to closing
            if self.open_files() == base:
                return
            self.finish(HERMOD, "pub", "-p", self.broker.mqtt, "-t", "a", "-m", "x", "-q", "1")
        self.assertEqual(self.open_files(), base)

    def test_the_log_names_the_rule(self):
        with Peer(self.broker.mqtt) as peer:
            peer.connect(V311)
            peer.say(bytes.fromhex("30050003612f23"))
        self.broker.wait_for(r"Client v from 127\.0\.0\.1:\d+ breaks MQTT-3\.3\.2-2 at octet 4 of "
                             "its packet", stream="stderr")


if __name__ == "__main__":
    main()
