#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ways to a broker that are not a host and a port: Unix sockets and SOCKS proxies, with mosquitto's
programs on either side."""
import os
import signal
import socket
import stat

from names_test import KINDS, link_names
from processes import HERMOD, Broker, ProcessTest, free_port, main, require
from recorder import Recorder
from socks_proxy import Proxy

PROXY_REFUSALS = ((1, "failed, and does not say why"), (2, "does not allow this connection"),
                  (3, "has no way to the broker's network"), (4, "does not reach the broker"),
                  (5, "nothing listens there"), (6, "finds the broker too far away"),
                  (7, "does not connect for others"), (8, "does not take this kind of address"),
                  (9, "failed, and does not say why"))


class WaysTest(ProcessTest):
    def setUp(self):
        super().setUp()
        self.folder = link_names(self)

    def program(self, kind, name):
        return self.folder / name if kind == "ours" else require(name)


class UnixSockets(WaysTest):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "mqtt.sock"

    def serve(self, *lines, threads=1, wanted="hermod version .* running"):
        file = self.directory / "unix.conf"
        file.write_text("\n".join((f"listener 0 {self.path}", "allow_anonymous true",
                                   f"threads {threads}", *lines, "")))
        process = self.start(HERMOD, "serve", "-c", file, "-v")
        process.wait_for(wanted, stream="stderr")
        return process

    def exchange(self, publisher, subscriber):
        listener = self.start(*subscriber, "-t", "u/#", "-q", "1", "-v", "-C", "1")
        for _ in range(200):  # until the subscription is there
            self.finish(*publisher, "-t", "u/a", "-m", "through a file", "-q", "1", "-r")
            if listener.child.poll() is not None or listener.text():
                break
        self.assertEqual(listener.wait(), 0, listener.text("stderr"))
        self.assertEqual(listener.text(), "u/a through a file\n")

    def test_clients_of_both_kinds_use_our_socket(self):
        broker = self.serve(threads=2)
        self.assertIn(f"Listening on {self.path} (mqtt).", broker.text("stderr"))
        mode = os.stat(self.path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o770)
        for first in KINDS:
            for second in KINDS:
                self.exchange((self.program(first, "mosquitto_pub"), "--unix", self.path),
                              (self.program(second, "mosquitto_sub"), "--unix", self.path))
        broker.wait_for(f"client connected from {self.path} as ", stream="stderr")
        broker.signal(signal.SIGTERM)
        self.assertEqual(broker.wait(), 0)
        self.assertFalse(self.path.exists())

    def test_our_clients_use_a_socket_of_mosquitto(self):
        file = self.directory / "theirs.conf"
        file.write_text(f"listener 0 {self.path}\nallow_anonymous true\nuser root\n")
        theirs = self.start(require("mosquitto"), "-c", file)
        theirs.wait_for("running", stream="stderr")
        self.exchange((HERMOD, "pub", "--unix", self.path), (HERMOD, "sub", "--unix", self.path))
        asker = self.start(HERMOD, "rr", "--unix", self.path, "-t", "ask", "-e", "answer", "-m",
                           "x", "-d")
        asker.wait_for("sending PUBLISH", stream="stderr")
        self.finish(HERMOD, "pub", "--unix", self.path, "-t", "answer", "-m", "it is")
        self.assertEqual(asker.wait(), 0)
        self.assertEqual(asker.text(), "it is\n")

    def test_a_port_and_a_socket_are_one_broker(self):
        port = free_port()
        self.serve(f"listener {port} 127.0.0.1")
        self.exchange((HERMOD, "pub", "-h", "127.0.0.1", "-p", port),
                      (HERMOD, "sub", "--unix", self.path))

    def test_limits_count_for_it_too(self):
        self.serve("max_connections 1")
        with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
            first.connect(str(self.path))
            first.sendall(b"\x10\x0d\0\4MQTT\4\2\0\x3c\0\1c")
            self.assertEqual(first.recv(4), b"\x20\2\0\0")
            second.connect(str(self.path))
            self.assertEqual(second.recv(1), b"")

    def test_a_socket_that_was_left_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(self.path))
        self.serve()
        self.finish(HERMOD, "pub", "--unix", self.path, "-t", "a", "-m", "x")

    def refused(self, *lines):
        process = self.serve(*lines, wanted="cannot listen|needs|cannot be")
        self.assertEqual(process.wait(), 1)
        return process.text("stderr")

    def test_sockets_that_cannot_be_made_are_explained(self):
        self.serve()
        self.assertIn("another program listens on this socket", self.refused())
        self.path = self.directory / "file"
        self.path.write_text("x")
        self.assertIn("a file that is no socket is there", self.refused())
        self.path = self.directory / "none" / "x"
        self.assertIn("there is no such directory", self.refused())

    def test_errors_of_clients_are_explained(self):
        for kind in KINDS:
            for name, more in (("mosquitto_pub", ("-m", "x")), ("mosquitto_sub", ())):
                process = self.start(self.program(kind, name), "--unix", self.path, "-t", "a",
                                     *more)
                self.assertEqual(process.wait(), 1, kind)
        self.assertIn(f'Error: There is no Unix socket "{self.path}".',
                      self.start_and_end("mosquitto_pub", "--unix", self.path))
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(self.path))
        self.assertIn("Connection refused: nothing listens on",
                      self.start_and_end("mosquitto_pub", "--unix", self.path))
        self.assertIn("at most 107 octets",
                      self.start_and_end("mosquitto_pub", "--unix", "x" * 200))
        ours = self.start(HERMOD, "pub", "--unix", self.path, "-h", "localhost", "-t", "a", "-m",
                          "x")
        self.assertEqual(ours.wait(), 2)
        self.assertIn("--unix says where the broker is", ours.text("stderr"))

    def start_and_end(self, name, *options):
        process = self.start(self.folder / name, "-t", "a", "-m", "x", *options)
        self.assertEqual(process.wait(), 1)
        return process.text("stderr")


class Proxies(WaysTest):
    def proxy(self, **more):
        proxy = Proxy(**more)
        self.addCleanup(proxy.close)
        return proxy

    def publish(self, kind, proxy, user="", host="broker.test", port=1883):
        process = self.start(self.program(kind, "mosquitto_pub"), "--proxy",
                             f"socks5h://{user}127.0.0.1:{proxy.port}", "-h", host, "-p", port,
                             "-t", "a", "-m", "x", "-i", "me")
        return process.wait(), process.text("stderr")

    def test_both_clients_say_the_same_through_a_proxy(self):
        said = []
        for kind in KINDS:
            for user, login in (("", None), ("me:secret@", ("me", "secret")),
                                ("p%25%3A:w@", ("p%:", "w")), ("me:pw@", None)):
                server = Recorder()
                proxy = self.proxy(names={"broker.test": ("127.0.0.1", server.port)}, login=login)
                self.assertEqual(self.publish(kind, proxy, user), (0, ""), (kind, user))
                server.close()
                said.append((proxy.asked, proxy.logins, server.packets))
        self.assertEqual(said[:4], said[4:])
        self.assertEqual(said[0][0], [("broker.test", 1883)])
        self.assertEqual(said[1][1], [("me", "secret")])
        self.assertEqual(said[2][1], [("p%:", "w")])
        self.assertEqual(len(said[0][2]), 3)

    def test_addresses_go_as_they_are(self):
        for kind in KINDS:
            server = Recorder()
            proxy = self.proxy()
            self.assertEqual(self.publish(kind, proxy, host="127.0.0.1", port=server.port)[0], 0)
            server.close()
            self.assertEqual(proxy.asked, [("127.0.0.1", server.port)], kind)

    def test_a_real_broker_behind_it(self):
        broker = Broker(directory=self.directory)
        self.addCleanup(broker.close)
        way = ("--proxy", f"socks5h://127.0.0.1:{self.proxy().port}", "-h", "127.0.0.1", "-p",
               broker.mqtt)
        self.finish(HERMOD, "pub", *way, "-t", "a", "-m", "kept", "-r")
        self.assertEqual(self.finish(HERMOD, "sub", *way, "-t", "a", "-C", "1"), "kept\n")

    def test_each_refusal_is_explained(self):
        for reply, words in PROXY_REFUSALS:
            status, error = self.publish("ours", self.proxy(reply=reply))
            self.assertNotEqual(status, 0)
            self.assertIn(words, error)
            self.assertIn("(To: broker.test:1883)", error)
        for options, user, words in (
                ({"login": ("me", "pw")}, "", "wants a user name and password"),
                ({"login": ("me", "pw")}, "me:wrong@", "does not accept the user name"),
                ({"greeting": b"HTTP/1.1 400"}, "", "does not speak SOCKS5"),
                ({"greeting": b"\5"}, "", "closed the connection before it was done")):
            status, error = self.publish("ours", self.proxy(**options), user)
            self.assertNotEqual(status, 0)
            self.assertIn(words, error)

    def test_an_at_sign_may_be_in_names(self):
        """mosquitto_pub 2.0.11 makes a colon of it."""
        server = Recorder()
        proxy = self.proxy(names={"broker.test": ("127.0.0.1", server.port)}, login=("m@e", "p:w"))
        self.assertEqual(self.publish("ours", proxy, "m%40e:p%3Aw@"), (0, ""))
        server.close()

    def test_refusals_have_the_status_of_mosquitto(self):
        for options in (*({"reply": reply} for reply in range(1, 9)), {"login": ("a", "b")},
                        {"greeting": b"\5"}, {"greeting": b"HTTP/1.1"}):
            ours, theirs = (self.publish(kind, self.proxy(**options))[0] for kind in KINDS)
            self.assertEqual(ours, theirs, options)

    def test_proxies_that_are_not_there(self):
        port = free_port()
        for proxy, words in ((f"socks5h://127.0.0.1:{port}", "where --proxy has its proxy"),
                             ("socks5h://no-such-host.invalid", "where --proxy has its proxy"),
                             ("socks5://h", "The form is socks5h://"),
                             ("http://h", "The form is socks5h://"),
                             ("socks5h://", "there is no host"), ("socks5h://h:0", "the port is"),
                             ("socks5h://h:1080/x", "the port is")):
            process = self.start(HERMOD, "pub", "--proxy", proxy, "-t", "a", "-m", "x")
            self.assertNotEqual(process.wait(), 0)
            self.assertIn(words, process.text("stderr"))

    def test_one_way_at_a_time(self):
        for options in (("--unix", "/x", "--proxy", "socks5h://h"), ("-S", "--unix", "/x"),
                        ("-S", "--proxy", "socks5h://h")):
            process = self.start(HERMOD, "pub", *options, "-t", "a", "-m", "x")
            self.assertEqual(process.wait(), 2)
            self.assertIn("are two ways to the broker", process.text("stderr"))


if __name__ == "__main__":
    main()
