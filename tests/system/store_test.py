#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`hermod store`: what it says of a broker's store, and that a store goes elsewhere whole."""
import contextlib
import json
import signal
import time

from processes import HERMOD, ProcessTest, main
from wire import Wire

SESSION_PRESENT = 1  # in CONNACK
BUSY_S = 120  # a sanitizer on a busy machine


class StoreTest(ProcessTest):
    """Brokers whose store is in the directory `store`, and the tool."""

    def setUp(self):
        super().setUp()
        self.store = self.directory / "store"

    def serve(self, store=None, *lines):
        return self.start_broker(f"persistence_location {store or self.store}", *lines)

    def client(self, command, broker, *words):
        return self.finish(HERMOD, command, "-h", "127.0.0.1", "-p", broker.mqtt, *words)

    def publish(self, broker, topic, message, *options):
        self.client("pub", broker, "-t", topic, "-m", message, *options)

    def fill(self):
        """Two sessions that are away, five messages in their queues, a value, a declared topic."""
        broker = self.serve()
        self.client("sub", broker, "-i", "one", "-c", "-q", 2, "-t", "a/#", "-E")
        self.client("sub", broker, "-i", "two", "-c", "-q", 1, "-t", "a/0", "-t", "a/1", "-E")
        for number in range(3):
            self.publish(broker, f"a/{number}", f"message {number}", "-q", 1 + number % 2)
        self.publish(broker, "r/1", "kept", "-r", "-q", 1)
        topic = self.directory / "topic.cbor"
        topic.write_bytes(b"\xa2\x00\x61d\x02\x6ccore.ps.data")  # {0: "d", 2: ...}
        self.finish(HERMOD, "post", f"coap://127.0.0.1:{broker.coap}/ps", "-t", 606,
                    "-f", topic)
        broker.stop()

    def tool(self, action, *words, status=0, stdin=None):
        """Its standard output and its errors."""
        process = self.start(HERMOD, "store", action, *words, stdin=stdin)
        self.assertEqual(process.wait(), status, process.text() + process.text("stderr"))
        return process.text(), process.text("stderr")

    def damage(self, file, text):
        """Changes the first octet of a text in a file."""
        octets = bytearray(file.read_bytes())
        octets[octets.index(text)] ^= 1
        file.write_bytes(octets)

    def segment(self):
        return self.store / f"log-{1:016x}"


class Shrinks(StoreTest):
    def log_octets(self):
        octets = 0
        for file in self.store.glob("log-*"):
            with contextlib.suppress(FileNotFoundError):  # it has gone since
                octets += file.stat().st_size
        return octets

    def test_a_log_of_which_little_is_left_shrinks_while_the_broker_serves(self):
        broker = self.serve()
        self.client("sub", broker, "-i", "rare", "-c", "-q", 1, "-t", "hb/+/7", "-E")
        # 400 MB in seven segments, of which one in a hundred waits for a client that is away.
        publishers, messages, payload = 100, 1000, 4096
        load = self.start(HERMOD, "bench", "fan-in", "--url", f"mqtt://127.0.0.1:{broker.mqtt}",
                          "--publishers", publishers, "--messages", messages, "--payload", payload,
                          "-q", 1, "-W", 16, "--lasting", "--drain", 60)
        self.assertEqual(load.wait(BUSY_S), 0, load.text("stderr"))
        segment = 64 << 20
        until = time.monotonic() + BUSY_S
        while self.log_octets() > segment + segment // 4:
            self.assertLess(time.monotonic(), until, "the log does not shrink")
            self.publish(broker, "other", "x", "-q", 1)
        broker.signal(signal.SIGKILL)
        broker.wait()
        waiting, _ = self.tool("check", self.store)
        self.assertIn(f"messages in queues: {messages} wait", waiting)
        again = self.serve()
        got = self.client("sub", again, "-i", "rare", "-c", "-q", 1, "-t", "hb/+/7", "-C", messages,
                          "-F", "%l")
        self.assertEqual(got.split(), [str(payload)] * messages)


class Transfer(StoreTest):
    def test_sessions_messages_and_values_go_to_another_store(self):
        self.fill()
        text, errors = self.tool("export", self.store)
        self.assertEqual(errors, "")
        elsewhere = self.directory / "deep" / "elsewhere"
        said, _ = self.tool("import", elsewhere, stdin=text.encode())
        self.assertEqual(said, f"{elsewhere}: 2 subscribers, 5 messages in queues, 1 retained "
                               "values, 1 declared topics.\n")
        self.assertEqual(self.tool("export", elsewhere)[0], text)
        self.expect_everything(self.serve(elsewhere))

    def test_groups_and_their_queues_go_too(self):
        broker = self.serve()
        member = ("-i", "member", "-c", "-q", 2, "-t", "$share/group/s/#")
        self.client("sub", broker, *member, "-E")
        for number in range(3):
            self.publish(broker, f"s/{number}", f"message {number}", "-q", 1 + number % 2)
        broker.stop()
        text, _ = self.tool("export", self.store)
        self.assertIn('"name":"$share/group/s/#","group":true', text)
        elsewhere = self.directory / "elsewhere"
        self.tool("import", elsewhere, stdin=text.encode())
        lines = self.client("sub", self.serve(elsewhere), *member, "-C", 3).splitlines()
        self.assertEqual(sorted(lines), [f"message {number}" for number in range(3)])

    def test_what_is_left_of_a_damaged_store_goes_on(self):
        self.fill()
        self.damage(self.store / "metadata.sqlite", b"two")
        self.assertIn("hermod store export", self.refusal())
        text, errors = self.tool("export", self.store, status=1)
        self.assertIn("a row of the table 'subscriber' (2): its sum is wrong", errors)
        said, errors = self.tool("import", self.directory / "left", stdin=text.encode())
        self.assertIn("not all of its store could be read", errors)
        self.assertIn("2 messages are left out", errors)
        self.assertIn("1 subscribers, 3 messages", said)
        broker = self.serve(self.directory / "left")
        self.expect_session(broker, "one", 2, ["a/0", "a/1", "a/2"])

    def refusal(self):
        """What a broker says that does not start on the store."""
        file = self.directory / "refused.conf"
        file.write_text(f"listener 0 {self.directory}/socket\nallow_anonymous true\n"
                        f"persistence_location {self.store}\n")
        process = self.start(HERMOD, "serve", "-c", file)
        self.assertEqual(process.wait(), 1, process.text("stderr"))
        return process.text("stderr")

    def expect_session(self, broker, client_id, qos, topics):
        lines = self.client("sub", broker, "-i", client_id, "-c", "-q", qos, "-t", "none",
                            "-C", len(topics), "-F", "%t %q %p").splitlines()
        self.assertEqual(sorted(lines), sorted(
            f"{topic} {min(qos, 1 + int(topic[2]) % 2)} message {topic[2]}" for topic in topics))

    def expect_everything(self, broker):
        self.expect_session(broker, "one", 2, ["a/0", "a/1", "a/2"])
        self.expect_session(broker, "two", 1, ["a/0", "a/1"])
        self.assertEqual(self.client("sub", broker, "-t", "r/1", "-C", 1, "-F", "%r %p"),
                         "1 kept\n")
        self.assertIn("core.ps.data", self.finish(
            HERMOD, "get", f"coap://127.0.0.1:{broker.coap}/ps/conf/d", "--pretty"))

    def test_an_import_that_fails_leaves_nothing(self):
        self.fill()
        lines = self.tool("export", self.store)[0].splitlines(keepends=True)
        place = self.directory / "new"
        _, errors = self.tool("import", place, stdin="".join(lines[:-1]).encode(), status=1)
        self.assertIn("cut short", errors)
        self.assertFalse(place.exists())
        wrong = "".join(lines[:3] + ["nonsense\n"] + lines[4:])
        _, errors = self.tool("import", place, stdin=wrong.encode(), status=1)
        self.assertIn("line 4: ", errors)
        self.assertFalse(place.exists())
        place.mkdir()
        self.tool("import", place, stdin=wrong.encode(), status=1)
        self.assertEqual(list(place.iterdir()), [])
        before = sorted(file.read_bytes() for file in self.store.iterdir())
        _, errors = self.tool("import", self.store, stdin="".join(lines).encode(), status=1)
        self.assertIn("is not empty", errors)
        self.assertEqual(sorted(file.read_bytes() for file in self.store.iterdir()), before)


class Looks(StoreTest):
    def test_check_and_dump(self):
        self.fill()
        said, _ = self.tool("check", self.store)
        for text in ("2 subscribers", "3 subscriptions", "1 declared topics",
                     "messages in queues: 5 wait", "retained values: 1", "the store is well."):
            self.assertIn(text, said)
        said, _ = self.tool("dump", self.store)
        self.assertIn('subscription of 1 to "a/#", exactly once', said)
        self.assertRegex(said, r'(?m)^1:\d+ message "a/0" at least once, 9 octets, for')
        self.assertNotIn("kept", said)
        said, _ = self.tool("dump", self.store, "--log", "--payload")
        self.assertNotIn("subscription", said)
        self.assertRegex(said, r'(?m)^1:\d+ value "r/1" at least once, 4 octets "kept", retain')
        self.assertNotIn("1:", self.tool("dump", self.store, "--metadata")[0])

    def test_damage_is_named(self):
        self.fill()
        self.damage(self.segment(), b"message 2")
        said, _ = self.tool("check", self.store, status=1)
        self.assertRegex(said, r"(?m)^fault: segment 1, octet \d+: \d+ octets are damaged$")
        text, errors = self.tool("export", self.store, status=1)
        self.assertRegex(errors, r"\d+ octets at octet \d+ of segment 1 are damaged")
        self.assertFalse(json.loads(text.splitlines()[-1])["end"]["complete"])
        self.assertIn("message 1", text)
        self.assertNotIn("essage 2", text)

    def test_a_store_in_use_is_refused(self):
        self.fill()
        broker = self.serve()
        for action in ("check", "dump", "export", "import"):
            _, errors = self.tool(action, self.store, status=1, stdin=b"")
            self.assertIn(f"the store {self.store} is in use", errors)
        broker.stop()
        self.tool("check", self.store)

    def test_where_a_store_is(self):
        self.fill()
        self.assertIn("is well", self.finish("/usr/bin/env", f"STATE_DIRECTORY={self.store}",
                                             HERMOD, "store", "check"))
        file = self.directory / "there.conf"
        file.write_text(f"persistence_location {self.store}\n")
        self.assertIn("is well", self.tool("check", "-c", file)[0])
        _, errors = self.tool("check", self.directory / "none", status=1)
        self.assertIn("No such file or directory", errors)
        self.assertFalse((self.directory / "none").exists())
        (self.directory / "empty").mkdir()
        _, errors = self.tool("export", self.directory / "empty", status=1)
        self.assertIn("there is no store", errors)
        self.assertEqual(list((self.directory / "empty").iterdir()), [])

    def test_wrong_command_lines(self):
        for words, text in ((("chek", "x"), 'Did you mean "check"?'),
                            (("check", "x", "--payload"), "are for dump"),
                            (("check", "x", "-c", "y"), "give one of them"),
                            (("check", "x", "y"), "one argument too many")):
            _, errors = self.tool(*words, status=2)
            self.assertIn(text, errors)
        self.assertEqual(self.start(HERMOD, "store").wait(), 2)
        file = self.directory / "wrong.conf"
        file.write_text("persistance_location x\n")
        _, errors = self.tool("check", "-c", file, status=2)
        self.assertIn("wrong.conf:1: ", errors)

    def test_an_output_that_takes_no_more(self):
        self.fill()
        process = self.start("/bin/sh", "-c", '"$0" store export "$1" >/dev/full', HERMOD,
                             self.store)
        self.assertEqual(process.wait(), 1)
        self.assertIn("takes no more: No space left on device", process.text("stderr"))


class Stops(StoreTest):
    def connect(self, broker, client_id, **options):
        wire = Wire(broker.mqtt, client_id, **options)
        self.addCleanup(wire.close)
        return wire

    def test_nothing_acknowledged_comes_again_after_sigterm(self):
        broker = self.serve()
        reader = self.connect(broker, "reader", clean=False)
        reader.subscribe("a/#", qos=1)
        writer = self.connect(broker, "writer")
        for number in range(50):
            writer.publish(f"a/{number}")
        reader.wait_messages(50)
        reader.acknowledge()
        reader.ping()  # they have come
        broker.stop()
        self.assertNotIn('"queued"', self.tool("export", self.store)[0])
        broker = self.serve()
        reader = self.connect(broker, "reader", clean=False)
        self.assertEqual(reader.present, SESSION_PRESENT)
        self.connect(broker, "writer").publish("a/last")
        reader.wait_messages(1)
        reader.ping()
        self.assertEqual(reader.received, ["a/last"])

    def test_what_ends_while_the_broker_stops_is_over(self):
        broker = self.serve(self.store, "threads 1", "max_queued_messages 1",
                            "queue_overflow drop-head")
        self.client("sub", broker, "-i", "away", "-c", "-q", 1, "-t", "a", "-E")
        self.publish(broker, "a", "dropped", "-q", 1)
        client = self.start(HERMOD, "sub", "-h", "127.0.0.1", "-p", broker.mqtt, "-t", "x", "-d",
                            "--will-topic", "a", "--will-payload", "the will", "--will-qos", 1)
        client.wait_for("^Subscribed", stream="stderr")
        broker.stop()  # publishes the will, which takes the place of the message before
        text, _ = self.tool("export", self.store)
        self.assertEqual(text.count('"queued"'), 1, text)
        self.assertIn("the will", text)


if __name__ == "__main__":
    main()
