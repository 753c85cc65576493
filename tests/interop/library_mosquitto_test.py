#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Our client library against mosquitto's broker: every feature of all three versions that it has,
and what becomes of a session when the broker is killed. CLIENT_DRIVER names the driver."""
import signal

import features
import features5
from library_peers import LibraryPeers, tearDownModule  # noqa: F401
from mosquitto import Mosquitto
from processes import ProcessTest, main


class Foreign(LibraryPeers):
    lacks = (*LibraryPeers.lacks,
             # mosquitto 2.0.11 ...
             "reason strings",    # gives none
             "server references",  # likewise
             "words at the end",  # closes without DISCONNECT
             "wills at the end of a session",     # waits for their delay
             "retained values kept from groups")  # sends them

    def make_broker(self, *lines, anonymous):
        return self.start(*lines, directory=self.directory, anonymous=anonymous, kind=Mosquitto)


class Restarts(ProcessTest):
    """Sessions of ours when the broker goes and comes back, with what it has stored or without.

    The receiver is away while the broker restarts: mosquitto 2.0.11 sends a message of QoS 2 again,
    as PUBLISH, that it had sent PUBREL for before, so that a receiver gets it twice.
    """

    version = "5"

    def begin(self, *lines):
        self.broker = self.make_broker(*lines, anonymous=True)
        self.peers = self.make_peers(self.broker.mqtt)
        self.addCleanup(self.peers.close)

    def begin_with_store(self):
        store = self.directory / "store"
        store.mkdir()
        self.begin("persistence true", f"persistence_location {store}/", "autosave_interval 0",
                   "max_queued_messages 0")

    def restart(self, number):
        self.broker.signal(number)
        self.broker.wait()
        self.broker = self.start(directory=self.directory, again=self.broker, kind=Mosquitto)

    def session(self, name):
        peer = self.peers.new(self.version)
        more = {"session_expiry": 3600} if self.version == "5" else {}
        answer = peer.connect(client_id=name, clean=False, session=1, **more)
        self.assertEqual(answer["code"], 0)
        return peer

    def connections(self, peer):
        """Whether the session was there, for each connection since the last call."""
        events = peer.driver.events[peer.name]
        found = [fields["present"] for event, fields in events if event == "connected"]
        peer.driver.events[peer.name] = [one for one in events if one[0] == "message"]
        return found

    def test_exactly_once_across_restarts(self):
        self.begin_with_store()
        receiver, sender = self.session("receiver"), self.session("sender")
        self.assertEqual(receiver.subscribe("count", 2)["codes"], [2])
        receiver.kill()
        payloads = [str(number).encode() for number in range(300)]
        begun = []
        for start in range(0, 300, 100):
            begun += [sender.begin_publish("count", payload, 2)
                      for payload in payloads[start:start + 100]]
            sender.driver.answer(begun[start + 10])  # the others are under way, or wait
            self.restart(signal.SIGTERM)
        for number in set(begun) - {begun[start + 10] for start in range(0, 300, 100)}:
            self.assertEqual(sender.driver.answer(number)["code"], 0)
        again = self.session("receiver")
        self.assertEqual(again.payloads(300), payloads)
        sender.publish("count", b"end", 2)
        self.assertEqual(again.message()["payload"], b"end")
        self.assertEqual(len(self.connections(sender)), 4)

    def test_a_stored_session_is_resumed_after_a_kill(self):
        self.begin_with_store()
        peer = self.session("watcher")
        peer.subscribe("a", 1)
        self.restart(signal.SIGTERM)  # which stores what there is
        self.assertEqual(peer.publish("a", b"1", 2)["code"], 0)
        self.assertEqual(peer.message()["payload"], b"1")
        self.restart(signal.SIGKILL)
        self.assertEqual(peer.publish("a", b"2", 2)["code"], 0)
        self.assertEqual(peer.message()["payload"], b"2")
        present = 0 if self.version == "31" else 1
        self.assertEqual(self.connections(peer), [0, present, present])

    def test_a_forgotten_session_subscribes_again(self):
        self.begin()
        peer = self.session("watcher")
        peer.subscribe("a", 1)
        self.restart(signal.SIGKILL)
        peer.driver.event(peer.name, "lost")
        self.assertEqual(peer.publish("a", b"after", 1)["code"], 0)
        self.assertEqual(peer.message()["payload"], b"after")
        self.assertEqual(self.connections(peer), [0, 0])


features.making(globals(), Foreign, *features.ALL, Restarts, only_v5=features5.ALL)
del Restarts  # not a test without a version

if __name__ == "__main__":
    main()
