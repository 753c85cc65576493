#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TD_COAP_CORE_01 to 23 and 31 of the ETSI CoAP plugtests (the descriptions of CoAP#4), each with
Hermod's client, libcoap's and a script: what a case checks is looked at on the wire. The steps are
told in examples/coap-plugtest-server/README.md."""
from coap_tap import Tap
from coap_wire import (ACCEPT, ACK, CBOR, CON, CONTENT_FORMAT, EMPTY, ETAG, GET, IF_MATCH,
                       IF_NONE_MATCH, JSON, LOCATION_PATH, LOCATION_QUERY, NON, RST, TEXT,
                       URI_QUERY, XML, Endpoint)
from plugtest import PlugtestTest, Script, Want, each_client
from processes import HERMOD, main


class Core(PlugtestTest):
    def ask(self, client, want, *codes, payload=None):
        """One exchange that is checked: request, response and what is shown."""
        request, response, shown = self.exchange(client, want)
        self.check_answer(request, response, *codes, payload=payload)
        return request, response, shown

    def get(self, client, path, non=False, shows="the default resource"):
        _, _, shown = self.ask(client, Want("get", path, non=non), "2.05", payload=True)
        self.assertIn(shows, shown)

    def delete_test(self, client, non):
        self.ask(client, Want("delete", "/test", non=non), "2.02")
        self.ask(Script(self), Want("get", "/test"), "4.04")
        self.put("/test", "there again")

    def put_test(self, client, non):
        want = Want("put", "/test", f"value {client.name}", non=non, form=TEXT)
        request, _, _ = self.ask(client, want, "2.04", "2.01")
        self.assertEqual(request.first(CONTENT_FORMAT), TEXT)
        self.assertEqual(request.payload, want.payload.encode())
        self.assertIn(want.payload, Script(self).run(Want("get", "/test")))

    def post_test(self, client, non):
        want = Want("post", "/test", f"posted {client.name}", non=non, form=TEXT)
        request, response, _ = self.ask(client, want, "2.01", "2.04")
        self.assertEqual(request.payload, want.payload.encode())
        place = "/" + "/".join(part.decode() for part in response.all(LOCATION_PATH))
        self.assertIn(want.payload, Script(self).run(Want("get", place)))

    @each_client
    def test_TD_COAP_CORE_01_get(self, client):
        self.get(client, "/test")

    @each_client
    def test_TD_COAP_CORE_02_delete(self, client):
        self.delete_test(client, non=False)

    @each_client
    def test_TD_COAP_CORE_03_put(self, client):
        self.put_test(client, non=False)

    @each_client
    def test_TD_COAP_CORE_04_post(self, client):
        self.post_test(client, non=False)

    @each_client
    def test_TD_COAP_CORE_05_get_non(self, client):
        self.get(client, "/test", non=True)

    @each_client
    def test_TD_COAP_CORE_06_delete_non(self, client):
        self.delete_test(client, non=True)

    @each_client
    def test_TD_COAP_CORE_07_put_non(self, client):
        self.put_test(client, non=True)

    @each_client
    def test_TD_COAP_CORE_08_post_non(self, client):
        self.post_test(client, non=True)

    def separate(self, client, want):
        """Empty Acknowledgement, later the response as a Confirmable message, which the client
        acknowledges. Returns request and response."""
        self.tap.start()
        self.assertIn("this took its time", client.run(want))
        # The client may end before its Acknowledgement has passed.
        self.tap.wait_for(lambda passed: len(passed) >= 4)
        request, empty, response, done = [one.message for one in self.tap.messages()][:4]
        self.assertEqual((request.kind, request.code, request.path), (CON, GET, ["separate"]))
        self.assertEqual((empty.kind, empty.code, empty.mid), (ACK, EMPTY, request.mid))
        self.assertEqual((response.kind, response.code), (CON, "2.05"))
        self.assertEqual(response.token, request.token)
        self.assertIsNotNone(response.first(CONTENT_FORMAT))
        self.assertTrue(response.payload)
        self.assertEqual((done.kind, done.code, done.mid), (ACK, EMPTY, response.mid))
        return request, response

    @each_client
    def test_TD_COAP_CORE_09_separate_response(self, client):
        self.separate(client, Want("get", "/separate"))

    def check_token(self, client, request, token):
        if client.name == "libcoap":  # it counts on from the token that it is told
            self.assertEqual(len(request.token), len(token))
        else:
            self.assertEqual(request.token, token.encode())

    @each_client
    def test_TD_COAP_CORE_10_token(self, client):
        for token in ("a", "four", "eight888"):
            request, _, _ = self.ask(client, Want("get", "/test", token=token), "2.05",
                                     payload=True)
            self.check_token(client, request, token)

    @each_client
    def test_TD_COAP_CORE_11_token_of_a_separate_response(self, client):
        request, _ = self.separate(client, Want("get", "/separate", token="eight888"))
        self.check_token(client, request, "eight888")

    def test_TD_COAP_CORE_12_empty_token(self):
        endpoint = Endpoint(self.server.port)
        self.addCleanup(endpoint.close)
        request, response = endpoint.ask(GET, "/test", token=b"")
        self.check_answer(request, response, "2.05", payload=True)
        self.assertEqual(response.encode()[0] & 15, 0)

    @each_client
    def test_TD_COAP_CORE_13_uri_path(self, client):
        self.get(client, "/seg1/seg2/seg3", shows="three segments deep")

    @each_client
    def test_TD_COAP_CORE_14_uri_query(self, client):
        path = "/query?first=1&second=2&third=3"
        request, _, shown = self.ask(client, Want("get", path), "2.05", payload=True)
        self.assertEqual(request.all(URI_QUERY), [b"first=1", b"second=2", b"third=3"])
        self.assertIn("first=1 second=2 third=3", shown)

    @each_client
    def test_TD_COAP_CORE_17_separate_response_non(self, client):
        self.tap.start()
        self.assertIn("this took its time", client.run(Want("get", "/separate", non=True)))
        request, response = [one.message for one in self.tap.messages()]  # and nothing else
        self.assertEqual((request.kind, request.code), (NON, GET))
        self.assertEqual((response.kind, response.code), (NON, "2.05"))
        self.assertEqual(response.token, request.token)
        self.assertTrue(response.payload)
        self.assertIsNotNone(response.first(CONTENT_FORMAT))

    @each_client
    def test_TD_COAP_CORE_18_location_path(self, client):
        want = Want("post", "/test", f"created {client.name}", form=TEXT)
        _, response, _ = self.ask(client, want, "2.01")
        self.assertEqual(response.all(LOCATION_PATH), [b"location1", b"location2", b"location3"])
        shown = client.run(Want("get", "/location1/location2/location3"))
        self.assertIn(want.payload, shown)

    @each_client
    def test_TD_COAP_CORE_19_location_query(self, client):
        want = Want("post", "/location-query", "created", form=TEXT)
        _, response, _ = self.ask(client, want, "2.01")
        self.assertEqual(response.all(LOCATION_QUERY), [b"first=1", b"second=2"])

    @each_client
    def test_TD_COAP_CORE_20_accept(self, client):
        expected = {TEXT: "seven", XML: "<value>seven</value>", JSON: '{"value":"seven"}'}
        for form, payload in expected.items():
            request, response, shown = self.ask(
                client, Want("get", "/multi-format", accept=form), "2.05", payload=True)
            self.assertEqual(request.first(ACCEPT), form)
            self.assertEqual(response.first(CONTENT_FORMAT), form)
            self.assertIn(payload, shown)
        _, response, _ = self.ask(client, Want("get", "/multi-format", accept=CBOR), "2.05")
        self.assertEqual(response.payload, b"\xa1\x65value\x65seven")
        self.ask(client, Want("get", "/multi-format", accept=47), "4.06")

    def tag(self, client):
        """A GET of /validate without ETag: what there is, and its tag."""
        request, response, shown = self.ask(client, Want("get", "/validate"), "2.05", payload=True)
        self.assertEqual(request.all(ETAG), [])
        self.assertEqual(len(response.all(ETAG)), 1)
        return response.all(ETAG)[0], shown

    @each_client
    def test_TD_COAP_CORE_21_etag(self, client):
        tag, before = self.tag(client)
        request, response, _ = self.ask(client, Want("get", "/validate", etag=tag), "2.03",
                                        payload=False)
        self.assertEqual((request.all(ETAG), response.all(ETAG)), ([tag], [tag]))
        self.put("/validate", f"updated behind {client.name}")
        _, response, shown = self.ask(client, Want("get", "/validate", etag=tag), "2.05",
                                      payload=True)
        self.assertNotEqual(response.all(ETAG), [tag])
        self.assertNotEqual(shown, before)
        self.assertIn(f"updated behind {client.name}", shown)

    @each_client
    def test_TD_COAP_CORE_22_if_match(self, client):
        mine, other, late = (f"{word} of {client.name}" for word in ("one", "two", "three"))
        tag, _ = self.tag(client)
        request, _, _ = self.ask(
            client, Want("put", "/validate", mine, form=TEXT, if_match=tag), "2.04")
        self.assertEqual(request.all(IF_MATCH), [tag])
        newer, shown = self.tag(client)
        self.assertNotEqual(newer, tag)
        self.assertIn(mine, shown)
        self.ask(client, Want("put", "/validate", other, form=TEXT), "2.04")
        self.ask(client, Want("put", "/validate", late, form=TEXT, if_match=newer), "4.12")
        self.assertIn(other, client.run(Want("get", "/validate")))

    @each_client
    def test_TD_COAP_CORE_23_if_none_match(self, client):
        create = Want("put", "/create1", f"by {client.name}", form=TEXT, if_none_match=True)
        request, _, _ = self.ask(client, create, "2.01")
        self.assertEqual(request.all(IF_NONE_MATCH), [b""])
        again = Want("put", "/create1", "too late", form=TEXT, if_none_match=True)
        self.ask(client, again, "4.12")
        self.assertIn(f"by {client.name}", client.run(Want("get", "/create1")))
        self.delete("/create1")

    def test_TD_COAP_CORE_31_ping(self):
        endpoint = Endpoint(self.server.port)
        self.addCleanup(endpoint.close)
        ping = endpoint.empty(CON, 0x7777)
        pong = endpoint.receive()
        self.assertEqual((pong.kind, pong.code, pong.mid, pong.token, pong.payload),
                         (RST, EMPTY, ping.mid, b"", b""))


class Lossy(PlugtestTest):
    """Through a gateway that loses what the case says. The clients repeat after ACK_TIMEOUT, 2 to
    3 s; so all of them run at once, each behind a gateway of its own."""
    options = ("--period", "150", "--separate-after", "100", "--ack-timeout", "300")

    def all_at_once(self, path, cases, shows):
        """Starts both programs in each case of loss, and the script meanwhile. `cases` are of
        lose(count_of_requests, count_of_responses, up, message); yields (name, messages)."""
        running = []
        for name, lose in cases.items():
            for client in ("hermod", "libcoap"):
                tap = Tap(self.server.port)
                self.addCleanup(tap.close)
                tap.start(lose())
                url = f"coap://127.0.0.1:{tap.port}{path}"
                program = ([HERMOD, "get", url] if client == "hermod"
                           else ["coap-client-notls", "-B", "20", url])
                running.append((name, client, tap, self.start(*program)))
        for name, lose in cases.items():
            self.tap.start(lose())
            script = Script(self)
            self.assertIn(shows, script.run(Want("get", path)))
            if name == "response's ACK":
                script.acknowledge_again()
            yield name, "script", self.tap
        for name, client, tap, process in running:
            self.assertEqual(process.wait(), 0, (name, client, tap.messages()))
            self.assertIn(shows, process.text())
            yield name, client, tap

    def test_TD_COAP_CORE_15_lossy(self):
        def first_of(wanted):
            def lose():
                seen = []

                def lost(up, _):
                    seen.append(up)
                    return up == wanted and seen.count(up) == 1
                return lost
            return lose

        cases = {"request": first_of(True), "response": first_of(False)}
        for name, client, tap in self.all_at_once("/test", cases, "the default resource"):
            with self.subTest(lost=name, client=client):
                passed = tap.messages()
                self.assertEqual(sum(one.lost for one in passed), 1)
                requests = [one.message for one in passed if one.up]
                # The client has repeated the same message.
                self.assertEqual(requests[0].encode(), requests[1].encode())
                responses = [one.message for one in passed if not one.up]
                # A request that is repeated gets the same response.
                self.assertEqual(len(responses), 2 if name == "response" else 1)
                for response in responses:
                    self.check_answer(requests[0], response, "2.05", payload=True)
                    self.assertEqual(response.payload, responses[0].payload)

    def test_TD_COAP_CORE_16_lossy_separate(self):
        def first_that(wanted):
            def lose():
                lost = []

                def is_lost(up, message):
                    if lost or not wanted(up, message):
                        return False
                    lost.append(message)
                    return True
                return is_lost
            return lose

        cases = {
            "request": first_that(lambda up, message: up and message.is_request),
            "request's ACK": first_that(lambda up, message: not up and message.code == EMPTY),
            "response": first_that(lambda up, message: not up and message.code == "2.05"),
            "response's ACK": first_that(lambda up, message: up and message.code == EMPTY)}
        for name, client, tap in self.all_at_once("/separate", cases, "this took its time"):
            with self.subTest(lost=name, client=client):
                self.tap_is_complete(name, client, tap)
                self.check_lossy(name, client, [one for one in tap.messages()])

    def tap_is_complete(self, name, client, tap):
        """Waits for what comes after the client has its response."""
        if name == "response's ACK":
            tap.wait_for(lambda passed: sum(one.message.code == "2.05" for one in passed) >= 2)
        if name != "response's ACK" or client == "script":  # a program that has ended is silent
            tap.wait_for(lambda passed: any(
                one.up and one.message.kind == ACK and not one.lost for one in passed))

    def check_lossy(self, name, client, passed):
        requests = [one.message for one in passed if one.up and one.message.is_request]
        responses = [one.message for one in passed if not one.up and one.message.code == "2.05"]
        for response in responses:
            self.assertEqual((response.kind, response.token), (CON, requests[0].token))
            self.assertEqual(response.encode(), responses[0].encode())
        if name == "request":
            self.assertEqual(requests[0].encode(), requests[1].encode())
        elif name == "request's ACK" and client != "script":
            # The response is there long before the request would have been repeated: it stops that.
            self.assertEqual(len(requests), 1)
        elif name != "request's ACK":
            self.assertGreaterEqual(len(responses), 2)


if __name__ == "__main__":
    main()
