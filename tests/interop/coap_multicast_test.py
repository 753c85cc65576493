#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Discovery by multicast (RFC 7252 §8): the broker on one machine, clients on another, in network
namespaces, so that nothing of it reaches a real network."""
import socket

import net_space
from coap_wire import CON, GET, NON, POST, URI_PATH, URI_QUERY, Message, decode
from net_space import FAR, NEAR, THERE
from processes import HERMOD, PATIENCE_S, Process, ProcessTest, main, require

GROUPS = ("224.0.1.187", "ff02::fd", "ff05::fd")  # All CoAP Nodes (RFC 7252 §12.8)
COLLECTION = b'</ps>;rt="core.ps core.ps.coll";ct=40'
there = None


def setUpModule():
    global there
    there = net_space.OtherMachine()


def tearDownModule():
    there.close()


class Asker:
    """A client that asks groups and takes answers from everybody."""

    def __init__(self, group):
        v6 = ":" in group
        self.group = group
        self.socket = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
        self.scope = socket.if_nametoindex(NEAR) if v6 else 0
        if v6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self.scope)
        self.socket.settimeout(PATIENCE_S)
        self.last = 0

    def ask(self, path="/.well-known/core", query="rt=core.ps", kind=NON, code=GET, to=None):
        """Sends a request and returns its token."""
        self.last += 1
        token = self.last.to_bytes(4, "big")
        options = [(URI_PATH, one.encode()) for one in path.strip("/").split("/")]
        if query:
            options.append((URI_QUERY, query.encode()))
        address = (to or self.group, Broker.port)
        self.socket.sendto(Message(kind, code, self.last, token, options).encode(),
                           address + (0, self.scope) if self.scope else address)
        return token

    def answer(self):
        """The next answer and who gave it."""
        octets, who = self.socket.recvfrom(65536)
        return decode(octets), who

    def close(self):
        self.socket.close()


class Broker(Process):
    """`hermod serve` on the other machine, with one listener for CoAP."""

    port = 5683

    def __init__(self, *lines, directory):
        file = directory / "hermod.conf"
        file.write_text("\n".join(["allow_anonymous true", f"listener {self.port}",
                                   "protocol coap", *lines, ""]))
        super().__init__(*there.prefix(), HERMOD, "serve", "-c", file)
        self.wait_for("hermod version .* running", stream="stderr")


class Multicast(ProcessTest):
    def serve(self, *lines):
        broker = Broker(*lines, directory=self.directory)
        self.addCleanup(broker.close)
        return broker

    def asker(self, group=GROUPS[0]):
        asker = Asker(group)
        self.addCleanup(asker.close)
        return asker

    def check_answer(self, asker, token):
        message, who = asker.answer()
        self.assertEqual((message.token, message.kind, message.code), (token, NON, "2.05"))
        self.assertEqual(message.payload, COLLECTION)
        self.assertEqual(who[1], Broker.port)
        self.assertIn(who[0].partition("%")[0], (THERE, "fe80::77:2"))

    def test_every_group_answers_once_whatever_the_number_of_threads(self):
        for threads in (1, 3):
            broker = self.serve("coap_multicast all", "coap_leisure 200", f"threads {threads}")
            for group in GROUPS:
                with self.subTest(group=group, threads=threads):
                    asker = self.asker(group)
                    for _ in range(5):  # a second answer would come before the next request's
                        self.check_answer(asker, asker.ask())
            broker.close()

    def test_only_discovery_is_answered_and_never_by_an_error(self):
        self.serve("coap_multicast all", "coap_leisure 0")
        asker = self.asker()
        for words in ({"kind": CON}, {"path": "/ps/data/a", "query": ""}, {"code": POST},
                      {"path": "/other"}, {"query": "rt=none"}, {"query": "page=x"}):
            asker.ask(**words)
        self.check_answer(asker, asker.ask())

    def test_a_listener_that_joins_nothing_hears_nothing(self):
        """Not even where another listener of the machine has joined: that one is for it alone."""
        self.serve("listener 5684 0.0.0.0", "protocol coap", f"coap_multicast 224.0.1.187 {FAR}")
        for group in GROUPS:
            asker = self.asker(group)
            asker.ask()
            token = asker.ask(to=THERE if group == GROUPS[0] else "fe80::77:2")
            self.check_answer(asker, token)

    def test_libcoap_finds_the_broker(self):
        self.serve(f"coap_multicast all {FAR}", "coap_leisure 100")
        for group in GROUPS[:2]:
            host = f"[{group}]" if ":" in group else group
            client = self.start(require("coap-client-notls"), "-N", "-B", "20", "-m", "get",
                                f"coap://{host}/.well-known/core?rt=core.ps")
            client.wait_for(b'</ps>;rt="core.ps core.ps.coll";ct=40')

    def test_our_command_finds_the_broker_and_asks_it_for_the_rest(self):
        self.serve(f"coap_multicast all {FAR}", "coap_leisure 100")
        links = [f'</ps/data/{name}>;rt="core.ps.data";obs;sz=1' for name in "abcdef"]
        for name in "abcdef":  # a list that does not fit in three times the question
            put = self.start(HERMOD, "put", "-e", "1", f"coap://{THERE}/ps/data/{name}")
            self.assertEqual(put.wait(), 0, put.text("stderr"))
        for group, server, options in ((GROUPS[0], THERE, ()),
                                       (GROUPS[0], THERE, ("--interface", NEAR)),
                                       (f"[{GROUPS[1]}%25{NEAR}]", f"[fe80::77:2%25{NEAR}]", ())):
            with self.subTest(group=group, options=options):
                search = self.start(HERMOD, "discover", "-B", "2", *options, f"coap://{group}",
                                    "rt=core.ps.data")
                self.assertEqual(search.wait(), 0, search.text("stderr"))
                found = [f"<coap://{server}{link[1:]}" for link in links]
                self.assertEqual(search.text().splitlines(), found)
        # What it names can be asked.
        get = self.start(HERMOD, "get", f"coap://[fe80::77:2%25{NEAR}]/ps/data/a")
        self.assertEqual((get.wait(), get.text()), (0, "1"))

    def test_our_command_says_when_nobody_answers(self):
        search = self.start(HERMOD, "discover", "-B", "0.2", f"coap://{GROUPS[0]}")
        self.assertEqual(search.wait(), 27)
        self.assertIn("No server of the group 224.0.1.187:5683 has answered",
                      search.text("stderr"))
        search = self.start(HERMOD, "discover", "--interface", "none0", f"coap://{GROUPS[0]}")
        self.assertNotEqual(search.wait(), 0)
        self.assertIn("No such device", search.text("stderr"))

    def test_what_cannot_be_joined_is_said(self):
        for lines, words in ((("coap_multicast all none0",), 'there is no interface "none0"'),
                             (("socket_domain ipv6", "coap_multicast 224.0.1.187"),
                              '"coap_multicast" is 224.0.1.187, but the listener has no address'),
                             (("coap_multicast 10.0.0.1",), "but must be all")):
            file = self.directory / "wrong.conf"
            file.write_text("\n".join(["listener 5690", "protocol coap", *lines, ""]))
            process = self.start(*there.prefix(), HERMOD, "serve", "-c", file)
            self.assertNotEqual(process.wait(), 0)
            self.assertIn(words, process.text("stderr"))


if __name__ == "__main__":
    net_space.enter()
    main()
