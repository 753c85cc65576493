# SPDX-License-Identifier: Apache-2.0
"""MQTT client libraries behind one face, so that one list of features is asked of each of them.

A driver is a program around a library. It reads requests and writes events, a line each:

    NUMBER CLIENT COMMAND key=value ...      ->  NUMBER done key=value ...
                                                 CLIENT message key=value ...
                                                 CLIENT ended code=N

Values are percent-encoded octets; lists are their encoded elements, joined by commas. What is left
out is what the library leaves out. Commands and their keys are those of Peer's functions.
"""
import itertools
from urllib.parse import quote, unquote_to_bytes

from processes import OPEN, Process

NUMBERS = frozenset(
    "code present qos retain text expiry alias session_expiry keep_alive receive_max packet_max "
    "alias_max qos_max has_retain has_wildcards has_ids has_shared".split())


def encode(value):
    if isinstance(value, (list, tuple)):
        return ",".join(encode(one) for one in value)
    if isinstance(value, bool):
        value = int(value)
    return quote(value if isinstance(value, bytes) else str(value), safe="")


def decode(words):
    """What a line says: numbers, lists of user properties, numbers or codes, and texts."""
    out = {}
    for word in words:
        key, _, value = word.partition("=")
        if key in NUMBERS:
            out[key] = int(value)
        elif key in ("user", "ids", "codes"):
            values = [unquote_to_bytes(one).decode() for one in value.split(",") if one]
            if key == "user":
                values = value.split(",") if value else []
                texts = [unquote_to_bytes(one).decode() for one in values]
                out[key] = list(zip(texts[::2], texts[1::2]))
            else:
                out[key] = [int(one) for one in values]
        elif key in ("payload", "correlation"):
            out[key] = unquote_to_bytes(value)
        else:
            out[key] = unquote_to_bytes(value).decode()
    return out


def flat(user):
    """User properties as one list of names and values."""
    return list(itertools.chain.from_iterable(user))


class Driver(Process):
    def __init__(self, *command, environment=None):
        super().__init__(*command, stdin=OPEN, environment=environment)
        self.names = itertools.count(1)  # of clients
        self.number = 0
        self.read = 0       # octets of stdout
        self.answers = {}   # by number
        self.events = {}    # by client: (event, fields) ...

    def take(self):
        """Sorts the lines that have come."""
        whole = self.output["stdout"].rfind(b"\n") + 1
        lines = self.output["stdout"][self.read:whole].decode().splitlines()
        self.read = whole
        for line in lines:
            who, event, *words = line.split(" ")
            if event == "done":
                self.answers[who] = decode(words)
            else:
                self.events.setdefault(who, []).append((event, decode(words)))
        return True

    def begin(self, client, command, **options):
        """Sends a request, and returns its number."""
        self.number += 1
        words = [f"{key}={encode(value)}" for key, value in options.items() if value is not None]
        self.say(" ".join([str(self.number), client, command, *words]))
        return str(self.number)

    def answer(self, number):
        self.wait_until(lambda: self.take() and number in self.answers, f"answer to {number}")
        return self.answers.pop(number)

    def event(self, client, kind):
        """The first event of this kind that nobody has taken."""
        def find():
            self.take()
            return next((one for one in self.events.get(client, []) if one[0] == kind), None)
        found = self.wait_until(find, f"event {kind} of {client}")
        self.events[client].remove(found)
        return found[1]


class Peer:
    """One client of a driver. Requests return what the server said, as a dictionary."""

    def __init__(self, driver, name, port, version):
        self.driver, self.name, self.port, self.version = driver, name, port, version

    def connect(self, **options):
        """client_id, clean, keep_alive, user_name, password, will_topic, will_payload, will_qos,
        will_retain; MQTT 5: session_expiry, receive_max, packet_max, alias_max, own_alias_max,
        problem, user; will_delay, will_expiry, will_content_type, will_response_topic,
        will_correlation, will_text, will_user. -> code, present, and the server's terms."""
        for key in ("user", "will_user"):
            if key in options:
                options[key] = flat(options[key])
        return self._ask("connect", port=self.port, version=self.version, **options)

    def subscribe(self, topic, qos=0, **options):
        """MQTT 5: no_local, as_published, retain_handling, id, user. -> codes, reason."""
        return self._ask("subscribe", topic=topic, qos=qos, **options)

    def unsubscribe(self, topic):
        return self._ask("unsubscribe", topic=topic)

    def publish(self, topic, payload=b"", qos=0, retain=False, **options):
        """MQTT 5: content_type, response_topic, correlation, expiry, text, user. -> code, reason;
        returns when the exchange is over."""
        return self.driver.answer(self.begin_publish(topic, payload, qos, retain, **options))

    def publish_all(self, topic, payloads, qos):
        """Publishes them without waiting in between; returns when all are over."""
        begun = [self.begin_publish(topic, payload, qos) for payload in payloads]
        return [self.driver.answer(number) for number in begun]

    def begin_publish(self, topic, payload, qos=0, retain=False, **options):
        if "user" in options:
            options["user"] = flat(options["user"])
        return self.driver.begin(self.name, "publish", topic=topic, payload=payload, qos=qos,
                                 retain=retain, **options)

    def disconnect(self, **options):
        """MQTT 5: code, session_expiry."""
        return self._ask("disconnect", **options)

    def kill(self):
        """Ends the connection without DISCONNECT."""
        return self._ask("kill")

    def message(self):
        return self.driver.event(self.name, "message")

    def payloads(self, count):
        return [self.message()["payload"] for _ in range(count)]

    def ended(self):
        """-> code of the server's DISCONNECT, if it sent one; reason, reference."""
        return self.driver.event(self.name, "ended")

    def _ask(self, command, **options):
        return self.driver.answer(self.driver.begin(self.name, command, **options))


class Peers:
    """The clients of one test, all of one driver."""

    def __init__(self, driver, port):
        self.driver, self.port = driver, port
        self.all = []

    def new(self, version):
        peer = Peer(self.driver, f"c{next(self.driver.names)}", self.port, version)
        self.all.append(peer)
        return peer

    def close(self):
        """Ends those that are still there. Not waited for: the broker may be gone."""
        for peer in self.all:
            peer.driver.begin(peer.name, "kill")
