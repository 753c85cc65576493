# SPDX-License-Identifier: Apache-2.0
"""What the plugtest cases share: the server (PLUGTEST_SERVER names the program), a tap in front of
it on which every message is looked at, and three clients behind the same face: Hermod's, libcoap's
and a script, which says exactly what a case says."""
import contextlib
import functools
import os
import signal

from coap_tap import Tap
from coap_wire import (ACCEPT, ACK, BLOCK1, BLOCK2, CON, CONTENT_FORMAT, EMPTY, ETAG, GET, IF_MATCH,
                       IF_NONE_MATCH, OBSERVE, Endpoint, Silence, block)
from processes import HERMOD, Process, ProcessTest, require

SERVER = os.environ["PLUGTEST_SERVER"]
METHODS = {"get": "0.01", "post": "0.02", "put": "0.03", "delete": "0.04"}
REPEAT_S = 0.3  # after which the script repeats a confirmable request
REPEATS = 12
MESSAGES_MOST = 100  # among which what is waited for must be


class PlugtestServer(Process):
    def __init__(self, *options):
        super().__init__(SERVER, "--port", "0", *options)
        self.port = int(self.wait_for(r"^listening on coap://127\.0\.0\.1:(\d+)$")[1])

    def stop(self):
        """Ends it politely, unless a test has ended it otherwise."""
        if self.child.poll() is None:
            self.signal(signal.SIGTERM)
            assert self.wait() == 0, self.text("stderr")


class Want:
    """What a client is to ask, and in which way."""

    def __init__(self, method, path, payload=None, non=False, form=None, accept=None, etag=None,
                 if_match=None, if_none_match=False, token=None, size=None):
        self.method, self.path, self.payload, self.non = method, path, payload, non
        self.form, self.accept, self.etag, self.if_match = form, accept, etag, if_match
        self.if_none_match, self.token, self.size = if_none_match, token, size

    def words(self, libcoap):
        """As the options of both command lines."""
        words = ["-m", self.method] if libcoap else []
        for letter, value in (("-e", self.payload), ("-t", self.form), ("-A", self.accept),
                              ("-b", self.size), ("-T", self.token)):
            words += [letter, value] if value is not None else []
        words += ["-N"] if self.non else []
        for number, value in ((ETAG, self.etag), (IF_MATCH, self.if_match)):
            words += ["-O", f"{number},0x{value.hex()}"] if value is not None else []
        return words + (["-O", f"{IF_NONE_MATCH},"] if self.if_none_match else [])

    def options(self):
        options = [(number, value.to_bytes(value > 0, "big"))
                   for number, value in ((CONTENT_FORMAT, self.form), (ACCEPT, self.accept))
                   if value is not None]
        options += [(number, value) for number, value in ((ETAG, self.etag),
                                                          (IF_MATCH, self.if_match)) if value]
        return options + ([(IF_NONE_MATCH, b"")] if self.if_none_match else [])


class Command:
    """A client program."""

    def __init__(self, test, name):
        self.test, self.name = test, name

    def start(self, want, *options, observe=False):
        url = f"coap://127.0.0.1:{self.test.tap.port}{want.path}"
        if self.name == "libcoap":
            program = [require("coap-client-notls"), *want.words(True), "-B", "20"]
        else:
            program = [HERMOD, "observe" if observe else want.method, *want.words(False)]
        return self.test.start(*program, *options, url)

    def run(self, want):
        """Asks, and returns what the client shows."""
        process = self.start(want)
        process.wait()
        return process.text()


class Script:
    """A client in this test, which repeats what is not answered and acknowledges what it gets."""
    name = "script"

    def __init__(self, test):
        self.test, self.endpoint = test, None

    def run(self, want):
        endpoint = self.endpoint = Endpoint(self.test.tap.port)
        self.test.addCleanup(endpoint.close)
        options, payload = want.options(), (want.payload or "").encode()
        size = want.size or 64
        if want.payload is not None and len(payload) > size:
            answer = self._send_blocks(endpoint, want, payload, size)
        else:
            early = [(BLOCK2, block(0, 0, want.size))] if want.size else []
            answer = self._ask(endpoint, want, [*options, *early], payload)
        return self._fetch_rest(endpoint, want, answer).decode(errors="replace")

    def acknowledge_again(self):
        """The last response comes once more, as its Acknowledgement was lost."""
        again = self.endpoint.receive()
        assert again.kind == CON, again
        self.endpoint.empty(ACK, again.mid)

    def _ask(self, endpoint, want, options, payload=b""):
        request = endpoint.request(METHODS[want.method], want.path, options, payload,
                                   kind=int(want.non), token=(want.token or "t1").encode())
        acknowledged = False
        for _ in range(REPEATS):
            if not acknowledged:
                endpoint.send(request)
            with contextlib.suppress(Silence):
                while True:
                    answer = endpoint.receive(REPEAT_S)
                    if answer.kind == CON:
                        endpoint.empty(ACK, answer.mid)
                    if answer.code != EMPTY and answer.token == request.token:
                        return answer
                    acknowledged = acknowledged or answer.mid == request.mid
        raise AssertionError(f"no answer; passed: {self.test.tap.messages()}")

    def _send_blocks(self, endpoint, want, payload, size):
        number = 0
        while True:
            part = payload[number * size:][:size]
            more = (number + 1) * size < len(payload)
            answer = self._ask(endpoint, want,
                               [*want.options(), (BLOCK1, block(number, more, size))], part)
            if answer.code != "2.31" or not more:
                return answer
            number += 1

    def _fetch_rest(self, endpoint, want, answer):
        body = answer.payload
        while answer.block(BLOCK2) and answer.block(BLOCK2)[1]:
            size = answer.block(BLOCK2)[2]
            answer = self._ask(endpoint, want,
                               [*want.options(), (BLOCK2, block(len(body) // size, 0, size))])
            body += answer.payload
        return body


class Observation:
    """A script that observes a resource. It acknowledges unless it is told otherwise."""

    def __init__(self, test, path, kind=CON, token=b"obs", options=()):
        self.endpoint = Endpoint(test.tap.port)
        test.addCleanup(self.endpoint.close)
        self.test, self.path, self.token, self.last = test, path, token, None
        self.request, self.response = self.ask(OBSERVE, b"", kind=kind, options=options)

    def get(self, options=(), token=None, kind=CON):
        """A GET of the same resource: request and response. Notifications before it are
        acknowledged, but not looked at."""
        request = self.endpoint.request(GET, self.path, options, kind=kind,
                                        token=token or self.token)
        self.endpoint.send(request)
        for _ in range(MESSAGES_MOST):
            answer = self.endpoint.receive()
            if answer.kind == CON:
                self.endpoint.empty(ACK, answer.mid)
            elif (answer.mid == request.mid if kind == CON else answer.token == request.token):
                return request, answer
        raise AssertionError("no answer among so many notifications")

    def ask(self, number, value, token=None, kind=CON, options=()):
        """The same with one more option."""
        return self.get([(number, value), *options], token, kind)

    def next(self, reply=ACK):
        """The next notification, which is answered so; None: not at all. Repetitions that cross
        the answer do not count."""
        for _ in range(MESSAGES_MOST):
            message = self.endpoint.receive()
            if message.kind == CON and reply is not None:
                self.endpoint.empty(reply, message.mid)
            if message.mid != self.last:
                self.last = message.mid
                return message
        raise AssertionError("nothing but the same notification")

    def is_quiet(self, witness, count=3):
        """Nothing comes while somebody else is told `count` times. What was on the way before
        must have been taken."""
        for _ in range(count):
            witness.next()
        came = self.endpoint.ping()
        self.test.assertEqual(came, [], "nothing more may come")


def each_client(case):
    """A case for each of the clients."""
    @functools.wraps(case)
    def test(self):
        for client in (Script(self), Command(self, "hermod"), Command(self, "libcoap")):
            with self.subTest(client=client.name):
                case(self, client)
    return test


class PlugtestTest(ProcessTest):
    """Each test has a server of its own: cases change resources."""
    options = ("--period", "150", "--separate-after", "100", "--ack-timeout", "2000")

    def setUp(self):
        super().setUp()
        self.server = self.start_server(*self.options)
        self.tap = self.start_tap()

    def start_tap(self):
        tap = Tap(self.server.port)
        self.addCleanup(tap.close)
        return tap

    def start_server(self, *options):
        server = PlugtestServer(*options)
        self.addCleanup(server.close)
        self.addCleanup(server.stop)
        return server

    def exchange(self, client, want):
        """Lets a client ask: its first request, the response to it, and what it shows."""
        self.tap.start()
        shown = client.run(want)
        passed = [one.message for one in self.tap.messages()]
        request = next(one for one in passed if one.is_request)
        response = next(one for one in passed if not one.is_request and one.code != EMPTY)
        self.assertEqual(request.code, METHODS[want.method])
        self.assertEqual(request.kind, int(want.non))
        self.assertEqual(request.path, want.path.partition("?")[0].split("/")[1:])
        return request, response, shown

    def check_answer(self, request, response, *codes, payload=None):
        """The response is piggybacked on the Acknowledgement of a Confirmable request, and a
        Non-confirmable message to another one; it has the request's token, and a Content-Format
        where it has a payload. `payload`: True: there is one; False: there is none."""
        self.assertIn(response.code, codes)
        self.assertEqual(response.token, request.token)
        if request.kind == CON:
            self.assertEqual((response.kind, response.mid), (ACK, request.mid))
        else:
            self.assertEqual(response.kind, request.kind)
        if response.payload and response.code != "4.12":
            self.assertIsNotNone(response.first(CONTENT_FORMAT))
        if payload is not None:
            self.assertEqual(bool(response.payload), payload, response)

    def put(self, path, payload, form=0):
        """Another client changes a resource."""
        endpoint = Endpoint(self.server.port)
        _, answer = endpoint.ask(METHODS["put"], path, [(CONTENT_FORMAT, bytes([form])[:form])],
                                 payload.encode())
        endpoint.close()
        return answer

    def delete(self, path):
        endpoint = Endpoint(self.server.port)
        _, answer = endpoint.ask(METHODS["delete"], path)
        endpoint.close()
        return answer

