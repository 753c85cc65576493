#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of the client library against a broker. EXAMPLES names the programs' folder."""
import os
import re
import signal
import unittest
from pathlib import Path

from processes import HERMOD, ProcessTest, main

EXAMPLES = Path(os.environ["EXAMPLES"])
ROOT = Path(__file__).resolve().parents[2]


class Examples(ProcessTest):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()

    def example(self, name, *arguments, port=None):
        return self.start(EXAMPLES / f"example_{name}", port or self.broker.mqtt, *arguments)

    def complete(self, process):
        self.assertEqual(process.wait(), 0, process.text("stderr"))
        return process.text()

    def test_publish_and_subscribe(self):
        subscriber = self.example("subscribe", "a/+", "2")
        subscriber.wait_for("^subscribed$")
        self.complete(self.example("publish", "a/1", "one"))
        self.complete(self.example("publish", "a/2", "two"))
        self.assertEqual(self.complete(subscriber), "subscribed\na/1 one\na/2 two\n")

    def test_publish_says_why_it_failed(self):
        self.broker.stop()
        publisher = self.example("publish", "a", "b")
        self.assertEqual(publisher.wait(), 1)
        self.assertRegex(publisher.text("stderr"), "cannot connect: Connection refused")

    def test_request_response(self):
        asker = self.example("request_response", "how are you?")
        self.assertEqual(self.complete(asker), "question 1: you said: how are you?\n")

    def test_coroutine(self):
        copier = self.example("coroutine", "from/#", "to/", "2")
        copier.wait_for("^subscribed$")
        for number in ("1", "2"):
            self.complete(self.example("publish", f"from/{number}", f"value {number}"))
        self.complete(copier)
        kept = self.finish(HERMOD, "sub", "-h", "127.0.0.1", "-p", self.broker.mqtt, "-t", "to/#",
                           "-C", "2", "-v")
        self.assertEqual(sorted(kept.splitlines()), ["to/from/1 value 1", "to/from/2 value 2"])

    def test_coap(self):
        observer = self.example("coap", "Temperature/Kitchen", "34.5", "2", port=self.broker.coap)
        observer.wait_for("^observed: 34.5$")
        self.complete(self.example("publish", "Temperature/Kitchen", "35.1"))
        self.assertEqual(self.complete(observer),
                         "value: 34.5\nobserved: 34.5\nobserved: 35.1\n")

    def test_coap_request(self):
        for code, value in (("2.01", '{"on":true}'), ("2.04", '{"on":false}')):
            done = self.complete(self.example("coap_request", "state/pump", value,
                                              port=self.broker.coap))
            self.assertEqual(done, f"{code}\n{value} application/json\nstill valid\n")

    def test_a_will_that_is_sent_and_one_that_is_asked_for(self):
        watcher = self.example("subscribe", "state/#", "4")
        watcher.wait_for("^subscribed$")
        for number in (1, 2):
            device = self.example("will", "pump")
            device.wait_for("^online$")
            if number == 1:
                device.signal(signal.SIGKILL)
                device.wait()
                watcher.wait_for("^state/pump offline$")
            else:
                self.complete(self.example("publish", "orders/pump", "stop"))
                self.complete(device)
        self.assertEqual(self.complete(watcher), "subscribed\n" +
                         2 * "state/pump online\nstate/pump offline\n")

    def test_login_without_sending_the_password(self):
        file = self.directory / "users"
        self.finish(HERMOD, "passwd", "-c", "-b", "-H", "scram-sha-256", file, "alice", "secret")
        broker = self.start_broker(f"password_file {file}", anonymous=False)
        login = ("alice", "secret", "kept", "by alice")
        self.assertEqual(self.complete(self.example("login", *login, port=broker.mqtt)),
                         "logged in\nproven again\n")
        kept = self.finish(HERMOD, "sub", "-h", "127.0.0.1", "-p", broker.mqtt, "-t", "kept", "-C",
                           "1", "-u", "alice", "-P", "secret")
        self.assertEqual(kept, "by alice\n")
        refused = self.example("login", "alice", "guess", "kept", "x", port=broker.mqtt)
        self.assertEqual(refused.wait(), 1)
        self.assertEqual(refused.text("stderr"),
                         "cannot log in: bad user name or password\n")

    def hermod_pub(self, topic, message):
        self.finish(HERMOD, "pub", "-h", "127.0.0.1", "-p", self.broker.mqtt, "-t", topic,
                    "-m", message, "-r", "-q", "1")

    def test_last_state_across_a_restart_of_the_broker(self):
        self.hermod_pub("state/a", "1")
        watcher = self.example("last_state", "state/+", "end")
        watcher.wait_for(r"^state/a 1 \(as it was\)$")
        self.hermod_pub("state/a", "2")
        watcher.wait_for(r"^state/a 2 \(new\)$")
        self.broker.signal(signal.SIGKILL)
        self.broker.wait()
        watcher.wait_for("^lost$")
        again = self.start(HERMOD, "serve", "-c", self.broker.file)
        again.wait_for("hermod version .* running", stream="stderr")
        self.hermod_pub("state/a", "3")
        watcher.wait_for(r"^state/a 3 \((new|as it was)\)$")
        self.hermod_pub("state/b", "end")
        self.assertRegex(self.complete(watcher).replace("lost\n", ""),
                         r"\Astate/a 1 \(as it was\)\nstate/a 2 \(new\)\n"
                         r"state/a 3 \((new|as it was)\)\nstate/b end \(new\)\n\Z")

    def test_terms_and_why_the_server_ends_it(self):
        first = self.example("terms", "device")
        first.wait_for("^terms/a")
        second = self.example("terms", "device")
        second.wait_for("^terms/a")
        lines = ["keep-alive 30 s, session 60 s, QoS up to 2, shared subscriptions",
                 "not asked for: not a valid topic", "granted QoS 2",
                 "terms/a {} as application/json, for subscription 7, room 1, room 2"]
        self.assertEqual(self.complete(first).splitlines(),
                         [*lines, "ended: the server says: Session taken over",
                          "because Another connection has come with the same client identifier."])
        self.broker.stop()
        self.assertEqual(self.complete(second).splitlines(),
                         [*lines, "ended: the server says: Server shutting down",
                          "because The server is going down. Connect again later."])

    def test_resume_without_a_loss(self):
        counter = self.example("resume", "10")
        self.assertEqual(self.complete(counter),
                         "connected\n" + "".join(f"{number}\n" for number in range(1, 11)))

    def test_resume_across_a_restart_of_the_broker(self):
        counter = self.example("resume", "1000000000")
        counter.wait_for("^100$")
        self.broker.signal(signal.SIGKILL)
        self.broker.wait()
        before, _, _ = counter.wait_for("^lost: .*$").string.partition(b"lost")
        last = int(before.split()[-1])
        again = self.start(HERMOD, "serve", "-c", self.broker.file)
        again.wait_for("hermod version .* running", stream="stderr")
        # In memory the broker has forgotten the session: it subscribes again, and counts on.
        after = counter.wait_for(r"^lost: [\s\S]*^connected\n(\d+)\n(\d+)\n")
        first, second = int(after[1]), int(after[2])
        self.assertGreaterEqual(first, last)
        self.assertLessEqual(second, first + 1)
        self.assertTrue(re.match(rb"connected\n1\n2\n", before))


class Guide(unittest.TestCase):
    def test_its_code_is_that_of_the_examples(self):
        sources = "\n".join(path.read_text() for path in (ROOT / "examples").glob("*.cpp"))
        guide = (ROOT / "docs" / "client-library.md").read_text()
        blocks = re.findall(r"^```cpp\n(.*?)^```", guide, re.M | re.S)
        self.assertGreater(len(blocks), 10)
        for block in blocks:
            self.assertIn("\n" + block, sources)


if __name__ == "__main__":
    main()
