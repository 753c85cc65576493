#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hermod's CoAP commands, and with them its client library, against libcoap's server, against one
that answers as the test says, and against Hermod's own broker."""
import json
import re

from clients import BrokerTest
from coap_server import LibcoapServer, ScriptedServer, piggybacked, reset
from processes import HERMOD, ProcessTest, main

BLOCK_SIZES = (16, 64, 256, 1024)
LARGE = "".join(chr(ord("a") + i * 7 % 26) for i in range(5000))


class AgainstLibcoap(ProcessTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()

    def start_server(self, *options):
        server = LibcoapServer(*options)
        self.addCleanup(server.close)
        return server

    def hermod(self, command, path, *options, **more):
        return self.finish(HERMOD, command, self.server.url(path), *options, **more)

    def failed(self, command, path, *options, status):
        process = self.start(HERMOD, command, self.server.url(path), *options)
        self.assertEqual(process.wait(), status, process.text("stderr"))
        return process.text("stderr")

    def answer(self, command, path, *options):
        return json.loads(self.hermod(command, path, "--json", *options))

    def test_get(self):
        self.assertIn("test server made with libcoap", self.hermod("get", ""))
        answer = self.answer("get", "time")
        self.assertEqual(answer["code"], "2.05")
        self.assertEqual(answer["options"]["Max-Age"], 1)
        self.assertEqual(answer["bytes"], len(answer["payload"]))
        self.assertGreater(answer["ms"], 0)
        self.assertIn("test server", self.hermod("get", "", "-N"))
        self.assertIn("test server", self.hermod("get", "", "-T", "0x0102", "-O", "2048,x"))

    def test_put_then_get_then_delete(self):
        self.assertEqual(self.answer("put", "made", "-e", "21", "-t", "plain")["code"], "2.01")
        self.assertEqual(self.answer("put", "made", "-e", "22", "-t", "plain")["code"], "2.04")
        self.assertEqual(self.hermod("get", "made"), "22")
        self.assertEqual(self.hermod("get", "made", "-w"), "22\n")
        self.assertEqual(self.answer("delete", "made")["code"], "2.02")
        self.assertIn("4.04 Not Found", self.failed("get", "made", status=4))

    def test_large_bodies_both_ways(self):
        file = self.directory / "large"
        file.write_text(LARGE)
        for size in BLOCK_SIZES:
            with self.subTest(size=size):
                path = f"large{size}"
                self.hermod("put", path, "-f", file, "-t", "plain", "-b", size)
                self.assertEqual(self.hermod("get", path, "-b", size), LARGE)
                self.assertEqual(self.hermod("get", path), LARGE)
                self.assertEqual(self.hermod("get", path, "-b", f"2,{size}"), LARGE[2 * size:])
        self.hermod("put", "input", "-f", "-", "-t", "plain", stdin=LARGE.encode())
        copy = self.directory / "copy"
        self.assertEqual(self.hermod("get", "input", "-o", copy), "")
        self.assertEqual(copy.read_text(), LARGE)

    def test_large_body_unconfirmed(self):
        self.hermod("put", "non", "-e", LARGE, "-t", "plain", "-N")
        self.assertEqual(self.hermod("get", "non", "-N", "-b", "64"), LARGE)

    def test_what_one_puts_the_other_gets(self):
        """libcoap's server as the middle: libcoap's client and Hermod's see the same octets."""
        other = self.start("/usr/bin/coap-client-notls", "-B", "10", "-m", "put", "-e", LARGE, "-b",
                           "128", self.server.url("theirs"))
        self.assertEqual(other.wait(), 0)
        self.assertEqual(self.hermod("get", "theirs", "-b", "32"), LARGE)

    def test_separate_response(self):
        self.assertEqual(self.hermod("get", "async?1"), "done")

    def test_observe(self):
        observer = self.start(HERMOD, "observe", self.server.url("example_data"), "-w", "-C", "4")
        observer.wait_lines(1)
        for value in ("one", "two"):
            self.hermod("put", "example_data", "-e", value, "-t", "plain")
            observer.wait_for(f"^{value}$")
        self.hermod("put", "example_data", "-e", LARGE, "-t", "plain")  # in blocks: RFC 7959 §2.6
        self.assertEqual(observer.wait(), 0, observer.text("stderr"))
        self.assertEqual(observer.text().splitlines()[-1], LARGE)

    def test_observe_ends_by_time(self):
        lines = self.finish(HERMOD, "observe", self.server.url("time"), "-s", "0.5", "--json")
        first = json.loads(lines.splitlines()[0])
        self.assertIn("Observe", first["options"])

    def test_observe_what_is_not_observable(self):
        process = self.start(HERMOD, "observe", self.server.url(""))
        self.assertEqual(process.wait(), 1)
        self.assertIn("test server", process.text())
        self.assertIn("does not let it be observed", process.text("stderr"))
        self.assertIn("4.04", self.failed("observe", "nothing", status=4))

    def test_discover(self):
        lines = self.finish(HERMOD, "discover", self.server.url()).splitlines()
        self.assertIn('</async>;ct=0', lines)
        self.assertEqual(len(lines), 4)
        only = self.finish(HERMOD, "discover", self.server.url(), "rt=ticks")
        self.assertRegex(only, r"\A</time>;.*rt=\"ticks\".*\n\Z")
        shown = self.finish(HERMOD, "discover", self.server.url(), "rt=ticks", "--pretty")
        self.assertRegex(shown, r"\A/time  .*title=Internal Clock.*\n\Z")
        self.assertEqual(self.finish(HERMOD, "discover", self.server.url(), "rt=none"), "")

    def test_methods_that_it_does_not_take(self):
        self.assertIn("4.05 Method Not Allowed", self.failed("post", "time", "-e", "x", status=4))
        for method in ("patch", "ipatch"):
            self.assertIn("4.05", self.failed(method, "time", "-e", "x", "-t", "json", status=4))

    def test_fetch(self):
        self.assertRegex(self.hermod("fetch", "time", "-e", "ticks", "-t", "plain"), r"\d")

    def test_verbose(self):
        process = self.start(HERMOD, "put", self.server.url("v?a=1"), "-e", "x", "-t", "json", "-v")
        self.assertEqual(process.wait(), 0)
        text = process.text("stderr")
        for line in ("> CON PUT to 127.0.0.1", "> Uri-Path: v", "> Uri-Query: a=1",
                     "> Content-Format: 50", "> 1 bytes", "< 2.01 Created", "< 0 bytes, "):
            self.assertRegex(text, re.compile("^" + re.escape(line), re.M))


class AgainstAScript(ProcessTest):
    def serve(self, answer):
        server = ScriptedServer(answer)
        self.addCleanup(server.close)
        return server

    def run_get(self, server, *options, command="get"):
        process = self.start(HERMOD, command, server.url("a"), *options)
        return process.wait(), process.text(), process.text("stderr")

    def test_silence_is_a_timeout(self):
        status, _, error = self.run_get(self.serve(lambda request: []), "-B", "0.3")
        self.assertEqual(status, 27)
        self.assertIn("does not answer", error)

    def test_nobody_listens(self):
        server = ScriptedServer(lambda request: [])
        server.close()
        status, _, error = self.run_get(server)
        self.assertEqual(status, 1)
        self.assertIn("Connection refused", error)

    def test_reset(self):
        status, _, error = self.run_get(self.serve(lambda request: [reset(request)]))
        self.assertEqual(status, 6)
        self.assertIn("Reset", error)

    def test_errors_of_the_server(self):
        busy = self.serve(lambda r: [piggybacked(r, 0xa3, bytes([0xd1, 1, 7, 0xff]) + b"busy")])
        status, out, error = self.run_get(busy)
        self.assertEqual((status, out), (5, ""))
        self.assertIn("answered 5.03 Service Unavailable: busy. Try again in 7 s.", error)
        status, out, _ = self.run_get(busy, "--json")
        self.assertEqual(status, 5)
        self.assertEqual(json.loads(out)["payload"], "busy")
        many = self.serve(lambda r: [piggybacked(r, 0x9d, bytes([0xd1, 1, 9]))])
        status, _, error = self.run_get(many, command="put")
        self.assertEqual(status, 4)
        self.assertIn("4.29 Too Many Requests. Try again in 9 s.", error)

    def test_pretty(self):
        body = b'{"a":1,"b":[1,2],"c":{"d":null}}'
        server = self.serve(lambda r: [piggybacked(r, 0x45, b"\xc1\x32\xff" + body)])
        self.assertEqual(self.run_get(server)[1], body.decode())
        pretty = self.run_get(server, "--pretty")[1]
        self.assertEqual(json.loads(pretty), json.loads(body))
        self.assertGreater(len(pretty.splitlines()), 4)

    def test_json_of_octets(self):
        server = self.serve(lambda r: [piggybacked(r, 0x45, b"\x42\xca\xfe\xff\x00\xff")])
        answer = json.loads(self.run_get(server, "--json")[1])
        self.assertEqual(answer["payload_base64"], "AP8=")
        self.assertEqual(answer["options"], {"ETag": ["0xcafe"]})

    def test_pages_of_a_list(self):
        pages = {b"": b'</a>,</ps?page=2>;rel="next"', b"page=2": b"</b>"}

        def answer(request):
            page = pages[b"page=2"] if b"page=2" in request else pages[b""]
            return [piggybacked(request, 0x45, b"\xc1\x28\xff" + page)]

        server = self.serve(answer)
        lines = self.finish(HERMOD, "discover", server.url("ps"))
        self.assertEqual(lines.splitlines(), ["</a>", '</ps?page=2>;rel="next"', "</b>"])
        endless = self.serve(
            lambda r: [piggybacked(r, 0x45, b'\xc1\x28\xff</ps?page=2>;rel="next"')])
        status, _, error = self.run_get(endless, command="discover")
        self.assertEqual(status, 1)
        self.assertIn("does not end", error)

    def test_every_option_is_sent(self):
        server = self.serve(lambda request: [piggybacked(request, 0x44)])
        self.finish(HERMOD, "put", server.url("a?q"), "-e", "v", "-t", "60", "-A", "json", "-H",
                    "5", "--if-match", "0xcafe", "--if-none-match", "--etag", "e",
                    "--no-response", "2", "-O", "65000,0x01", "-T", "tok")
        self.assertEqual(server.requests[0][4:].hex(" "),
                         # If-Match, ETag, If-None-Match, Uri-Path, Content-Format, Uri-Query
                         "74 6f 6b 12 ca fe 31 65 10 61 61 11 3c 31 71 "
                         # Hop-Limit, Accept, No-Response, 65000
                         "11 05 11 32 d1 e4 02 e1 fb d9 01 ff 76")

    def test_a_proxy_gets_the_whole_url(self):
        server = self.serve(lambda request: [piggybacked(request, 0x45, b"\xff1")])
        self.assertEqual(self.finish(HERMOD, "get", "coap://example.net/a/b?c=1", "-P",
                                     server.url()), "1")
        self.assertIn(b"coap://example.net/a/b?c=1", server.requests[0])

    def test_the_server_that_pings_is_answered(self):
        """An Empty Confirmable message while an answer is awaited gets a Reset."""
        ping = bytes([0x40, 0, 0xab, 0xcd])
        pending = []

        def answer(request):
            if request[0] == 0x70:
                return [piggybacked(pending[0], 0x45, b"\xff1")]
            pending.append(request)
            return [ping]

        server = self.serve(answer)
        self.assertEqual(self.finish(HERMOD, "get", server.url()), "1")
        self.assertEqual(server.requests[1], bytes([0x70, 0, 0xab, 0xcd]))

    def test_wrong_command_lines(self):
        for words, expected in (
                (("get",), "there is no URL"),
                (("get", "localhost/a"), "write coap://localhost/a"),
                (("get", "coaps://h/a"), "no DTLS yet"),
                (("get", "coap://h/a", "-e", "x"), "has no payload"),
                (("put", "coap://h/a", "-t", "jsn"), 'Did you mean "json"?'),
                (("put", "coap://h/a", "-e", "x", "-f", "y"), "exclude each other"),
                (("fetch", "coap://h/a"), "there is no payload"),
                (("get", "coap://h/a", "-b", "8"), "-b is"),
                (("get", "coap://h/a", "-O", "x"), "-O is"),
                (("get", "coap://h/a", "-s", "4"), "-s"),
                (("get", "coap://h/a", "-k", "key"), "there is no DTLS yet"),
                (("get", "coap://h/a", "-m", "put"), "the command says the method"),
                (("get", "coap://h/a", "b"), "one argument too many")):
            process = self.start(HERMOD, *words)
            self.assertEqual(process.wait(), 2, words)
            self.assertIn(expected, process.text("stderr"))
            self.assertEqual(process.text(), "")


class AgainstHermod(BrokerTest):
    def test_values_of_topics(self):
        listener = self.subscribe("mosquitto", "-t", "a/b", "-v")
        self.finish(HERMOD, "put", self.coap_url("a/b"), "-e", "21")
        self.assertEqual(listener.wait_lines(1), ["a/b 21"])
        self.assertEqual(self.finish(HERMOD, "get", self.coap_url("a/b")), "21")
        observer = self.start(HERMOD, "observe", self.coap_url("a/b"), "-w", "-C", "2")
        observer.wait_lines(1)
        self.publish("mosquitto", "a/b", "22")
        self.assertEqual(observer.wait(), 0)
        self.assertEqual(observer.text(), "21\n22\n")
        self.finish(HERMOD, "delete", self.coap_url("a/b"))
        self.finish(HERMOD, "get", self.coap_url("a/b"), status=4)

    def test_etags(self):
        self.finish(HERMOD, "put", self.coap_url("tag"), "-e", "1")
        url = self.coap_url("tag")
        tag = json.loads(self.finish(HERMOD, "get", url, "--json"))["options"]["ETag"][0]
        again = json.loads(self.finish(HERMOD, "get", url, "--json", "--etag", tag))
        self.assertEqual(again["code"], "2.03")

    def test_large_values(self):
        for size in BLOCK_SIZES:
            url = self.coap_url(f"large/{size}")
            self.finish(HERMOD, "put", url, "-e", LARGE, "-b", size)
            self.assertEqual(self.finish(HERMOD, "get", url, "-b", size), LARGE)
        self.finish(HERMOD, "put", url, "-e", LARGE, "--no-response", "2")
        observer = self.start(HERMOD, "observe", url, "-w", "-C", "2")
        observer.wait_lines(1)
        self.publish("mosquitto", f"large/{BLOCK_SIZES[-1]}", LARGE + "!", "-r")
        self.assertEqual(observer.wait(), 0, observer.text("stderr"))
        self.assertEqual(observer.text(), f"{LARGE}\n{LARGE}!\n")

    def test_an_observation_ends_with_its_resource(self):
        self.finish(HERMOD, "put", self.coap_url("gone"), "-e", "1")
        observer = self.start(HERMOD, "observe", self.coap_url("gone"), "-w")
        observer.wait_lines(1)
        self.finish(HERMOD, "delete", self.coap_url("gone"))
        self.assertEqual(observer.wait(), 4)
        self.assertIn("4.04", observer.text("stderr"))


if __name__ == "__main__":
    main()
