#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Access rules mean what they mean to mosquitto: random ACL files, and for each user, client id
and topic whether it can be written and read, asked of both brokers."""
import random

from processes import HERMOD, ProcessTest, free_port, main, require
from wire import Wire

FILES = 30
LEVELS = ("a", "b", "u1", "c1", "c2")
# Name, client id; all have the password "pw". The last ids are those that patterns shut out.
CLIENTS = ((None, "c1"), ("u1", "c2"), ("u2", "c3"), ("u1", "a+b"), ("u2", "#"))
TOPICS = ("a", "b", "a/b", "a/a", "u1/c2", "u2/c3/a", "c1/b/a", "b/u1", "/a", "a/", "a/b/u1/c1",
          "$x/a", "$x/u1", "$SYS/a", "$SYS/broker/connection/a/state")
FILTERS = ("#", "+/#", "a/#", "+", "a/b", "u1/+", "+/c2/#", "/+", "$x/#", "$x/a", "b", "+/+")


def random_filter(rng, names):
    levels = [rng.choice(LEVELS + names + ("+", "")) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        levels.append("#")
    if rng.random() < 0.15:
        levels.insert(0, rng.choice(("$x", "$SYS")))
    return "/".join(levels) or "a"


def random_rules(rng):
    lines = []
    for user in (None, "u1", "u2"):
        if user and rng.random() < 0.8:
            lines.append(f"user {user}")
        for _ in range(rng.randint(0, 4)):
            pattern = rng.random() < 0.35
            access = rng.choice(("read ", "write ", "readwrite ", "deny ", ""))
            names = ("%u", "%c", "x%c") if pattern else ()
            lines.append(f"{'pattern' if pattern else 'topic'} {access}{random_filter(rng, names)}")
    # For the one who listens and sends. Denials in pattern lines come after own lines.
    return "\n".join([*lines, "user root", "topic #", "topic $x/#", "topic read $SYS/#", ""])


class Oracle(ProcessTest):
    def setUp(self):
        super().setUp()
        self.passwords = self.directory / "passwords"
        self.rules = self.directory / "acl"
        self.passwords.touch(0o600)
        for user in ("u1", "u2", "root"):
            self.finish(require("mosquitto_passwd"), "-b", self.passwords, user, "pw")

    def start_server(self, name):
        port = free_port()
        file = self.directory / f"{name}-{port}.conf"
        lines = [f"listener {port} 127.0.0.1", "allow_anonymous true",
                 f"password_file {self.passwords}", f"acl_file {self.rules}"]
        if name == "mosquitto":
            lines += ["user root", "set_tcp_nodelay true"]
            command = [require("mosquitto"), "-c", file]
        else:
            lines.append("threads 1")
            command = [HERMOD, "serve", "-c", file]
        file.write_text("\n".join(lines) + "\n")
        server = self.start(*command)
        server.wait_for("running", stream="stderr")
        return server, port

    def connect(self, port, user, client_id):
        wire = Wire(port, client_id, user, "pw" if user else None)
        self.addCleanup(wire.close)
        self.assertEqual(wire.code, 0)
        return wire

    def answers_of(self, name, filters):
        """What every client could write, read live, and read as the last value."""
        server, port = self.start_server(name)
        root = self.connect(port, "root", "root")
        root.subscribe("#", "$x/#", "$SYS/#")
        root.ping()
        answers = {}
        readers = [self.connect(port, *client) for client in CLIENTS]
        for client, reader in zip(CLIENTS, readers):
            reader.subscribe(*filters)
            for topic in TOPICS:
                root.ping()
                root.received.clear()
                reader.publish(topic)
                root.ping()
                answers[client, "write", topic] = topic in root.received
        for reader in readers:
            reader.ping()
            reader.received.clear()
        for topic in TOPICS:
            root.publish(topic, retain=True)
        for client, reader in zip(CLIENTS, readers):
            reader.ping()
            answers[client, "read"] = sorted(self.own(reader))
            reader.close()
            late = self.connect(port, client[0], client[1])
            late.subscribe(*filters)
            late.ping()
            answers[client, "retained"] = sorted(self.own(late))
            late.close()
        root.close()
        server.close()
        return answers

    @staticmethod
    def own(wire):
        """Each topic once: brokers differ in what overlapping subscriptions get. mosquitto
        publishes about itself too."""
        return {topic for topic in wire.received if topic in TOPICS}

    def test_random_rules_mean_the_same_to_both_brokers(self):
        seen = set()
        for seed in range(FILES):
            rng = random.Random(seed)
            rules = random_rules(rng)
            filters = rng.sample(FILTERS, 3)
            self.rules.write_text(rules)
            ours = self.answers_of("hermod", filters)
            theirs = self.answers_of("mosquitto", filters)
            for question, answer in theirs.items():
                with self.subTest(seed=seed, question=question, filters=filters, rules=rules):
                    self.assertEqual(ours[question], answer)
                seen.add((question[1], bool(answer)))
        # The questions were not all of one kind.
        self.assertEqual(len(seen), 6)


if __name__ == "__main__":
    main()
