#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The plugtest server itself: its limits, what it says when it ends, its command line, and that it
does not amplify where that is forbidden."""
from coap_wire import (BLOCK1, BLOCK2, CONTENT_FORMAT, ECHO, LOCATION_PATH, NON, OBSERVE, SIZE1,
                       Endpoint, block)
from plugtest import SERVER, Observation, PlugtestTest, Script, Want
from processes import HERMOD, main

CREATED_MAX = 8
BODY_MAX = 16 << 10


class Server(PlugtestTest):
    def endpoint(self, port=None):
        endpoint = Endpoint(port or self.server.port)
        self.addCleanup(endpoint.close)
        return endpoint

    def test_the_oldest_of_too_many_created_resources_goes(self):
        endpoint, places = self.endpoint(), []
        for number in range(CREATED_MAX + 1):
            _, answer = endpoint.ask("0.02", "/large-create", [(CONTENT_FORMAT, b"")], b"x")
            self.assertEqual(answer.code, "2.01")
            places.append("/" + b"/".join(answer.all(LOCATION_PATH)).decode())
        codes = [endpoint.ask("0.01", place)[1].code for place in places]
        self.assertEqual(codes, ["4.04"] + CREATED_MAX * ["2.05"])

    def test_a_body_that_is_too_large(self):
        endpoint = self.endpoint()
        for number in range(BODY_MAX // 1024):
            _, answer = endpoint.ask("0.03", "/large-update",
                                     [(BLOCK1, block(number, 1, 1024))], 1024 * b"x")
            self.assertEqual(answer.code, "2.31")
        _, answer = endpoint.ask("0.03", "/large-update",
                                 [(BLOCK1, block(BODY_MAX // 1024, 0, 1024))], b"x")
        self.assertEqual((answer.code, answer.first(SIZE1)), ("4.13", BODY_MAX))

    def test_too_many_peers(self):
        server = self.start_server("--peers", "2", "--period", "3600000")
        first, second, third = (self.endpoint(server.port) for _ in range(3))
        for observer in first, second:
            _, answer = observer.ask("0.01", "/obs", [(OBSERVE, b"")])
            self.assertEqual(answer.code, "2.05")
        unheard = third.send(third.request("0.01", "/test"))
        # What the server answers next shows that it has let the request before pass.
        _, answer = second.ask("0.01", "/obs", [(OBSERVE, b"\x01")], token=b"\x00\x01")
        self.assertEqual((answer.code, answer.all(OBSERVE)), ("2.05", []))
        heard, answer = third.ask("0.01", "/test")  # in the place of who observes nothing
        self.assertNotEqual(answer.mid, unheard.mid)
        self.assertEqual((answer.mid, answer.code), (heard.mid, "2.05"))

    def test_observers_hear_the_end(self):
        observation = Observation(self, "/obs-non")
        self.server.stop()
        for _ in range(40):
            last = observation.next()
            if last.code != "2.05":
                break
        self.assertEqual((last.kind, last.code, last.token), (NON, "5.03", observation.token))
        self.assertEqual(last.all(OBSERVE), [])

    def test_wrong_command_lines(self):
        for words, expected in ((["--port"], "--port has no value"),
                                (["--port", "x"], "--port is a number from 0 to 65535"),
                                (["--peers", "0"], "--peers is a number from 1"),
                                (["--bind", "nowhere"], "--bind is an IPv4 or IPv6 address"),
                                (["--color", "1"], "--color is not an option")):
            process = self.start(SERVER, *words)
            self.assertEqual(process.wait(), 2)
            self.assertIn(expected, process.text("stderr"))
            self.assertIn("usage: coap_plugtest_server", process.text("stderr"))
        taken = self.start(SERVER, "--port", self.server.port)
        self.assertEqual(taken.wait(), 1)
        self.assertIn("cannot listen on 127.0.0.1:", taken.text("stderr"))

    def test_ipv6(self):
        server = self.start(SERVER, "--bind", "::1", "--port", "0")
        url = server.wait_for(r"^listening on (coap://\[::1\]:\d+)$")[1].decode()
        self.assertIn("the default resource", self.finish(HERMOD, "get", url + "/test"))
        server.signal(2)
        self.assertEqual(server.wait(), 0)


class Forged(PlugtestTest):
    """Where addresses may be forged: three octets for each one, until a peer has proven its own."""
    options = ("--amplification", "3", "--ack-timeout", "2000")

    def test_what_is_sent_to_an_address_that_proves_nothing(self):
        for path, code in (("/large", "2.05"), ("/.well-known/core", "2.05"), ("/none", "4.04")):
            with self.subTest(path=path):
                endpoint = Endpoint(self.server.port)
                self.addCleanup(endpoint.close)
                request, answer = endpoint.ask("0.01", path)
                self.assertEqual(answer.code, code)
                self.assertLessEqual(len(answer.encode()), 3 * len(request.encode()))
                if code == "2.05":
                    self.assertIn(answer.block(BLOCK2), ((0, 1, 16), (0, 1, 32)))
        # A request so small has no room for any block: the client has to prove itself.
        endpoint = Endpoint(self.server.port)
        self.addCleanup(endpoint.close)
        _, answer = endpoint.ask("0.01", "/path", token=b"")
        self.assertEqual((answer.code, len(answer.all(ECHO))), ("4.01", 1))
        _, answer = endpoint.ask("0.01", "/path", [(ECHO, answer.all(ECHO)[0])], token=b"")
        self.assertEqual(answer.code, "2.05")

    def test_clients_get_everything_all_the_same(self):
        for path, end in (("/large", "large\n"), ("/.well-known/core", "ct=0")):
            shown = self.finish(HERMOD, "get", f"coap://127.0.0.1:{self.server.port}{path}")
            self.assertTrue(shown.endswith(end), shown)
            script = Script(self).run(Want("get", path))
            self.assertEqual(script, shown)


if __name__ == "__main__":
    main()
