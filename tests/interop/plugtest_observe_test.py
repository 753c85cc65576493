#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TD_COAP_OBS_01 to 14 of the ETSI CoAP plugtests: registrations, notifications and their ends,
looked at on the wire; with Hermod's client and libcoap's beside the script where a client does
something.

"No further notification" is seen by a witness: another observer is told several times, and what the
first one gets then is the answer to its ping. TD_COAP_OBS_03 is of the first plugtests, in which a
GET without Observe ended an observation; RFC 7641 §3.6 wants Observe = 1, which TD_COAP_OBS_12
checks with confirmable messages, and this one with non-confirmable ones."""
import contextlib
import re
import signal

from coap_wire import (ACK, BLOCK2, CON, CONTENT_FORMAT, ETAG, GET, JSON, MAX_AGE, NON, OBSERVE,
                       RST, TEXT, Silence, block)
from plugtest import Command, Observation, PlugtestTest, Script, Want
from processes import main

COUNT = 3  # notifications looked at
MOST = 40  # notifications waited for, where some of them may be what a test is after
PROGRAMS = "hermod", "libcoap"


def is_newer(before, after):
    """RFC 7641 §3.4, within 256 s."""
    return before != after and (after - before) % 2**24 < 2**23


class ObserveTest(PlugtestTest):
    def check_registration(self, request, response, path, kind=CON):
        self.assertEqual((request.kind, request.code, request.path), (kind, GET, [path]))
        self.assertEqual(request.all(OBSERVE), [b""])
        self.assertEqual((response.kind, response.code), (ACK if kind == CON else NON, "2.05"))
        self.assertEqual(response.token, request.token)
        self.assertEqual(response.first(CONTENT_FORMAT), TEXT)
        self.assertEqual(len(response.all(OBSERVE)), 1)

    def check_notification(self, response, before, notification, kind=CON):
        """`before` is the notification, or response, that came before it."""
        self.assertEqual(notification.code, "2.05")
        self.assertIn(notification.kind, (kind, CON))
        self.assertEqual(notification.token, response.token)
        self.assertEqual(notification.first(CONTENT_FORMAT), response.first(CONTENT_FORMAT))
        self.assertTrue(is_newer(before.first(OBSERVE), notification.first(OBSERVE)),
                        (before, notification))

    def observe(self, path="/obs", **more):
        """A registration that is checked, and a first notification."""
        observation = Observation(self, path, **more)
        self.check_registration(observation.request, observation.response, path[1:],
                                more.get("kind", CON))
        self.check_notification(observation.response, observation.response, observation.next(),
                                more.get("kind", CON))
        return observation

    def check_end(self, notification, observation, code):
        """The last notification: an error, Confirmable, without Observe."""
        self.assertEqual((notification.kind, notification.code), (CON, code))
        self.assertEqual(notification.token, observation.token)
        self.assertEqual(notification.all(OBSERVE), [])

    def end_of(self, observation):
        """The first notification that is none of a value."""
        return self.until(observation.next, lambda notification: notification.code != "2.05")

    def until(self, produce, is_it):
        """What produce() gives for which is_it() holds."""
        for _ in range(MOST):
            value = produce()
            if is_it(value):
                return value
        raise AssertionError(f"not among {MOST}; the last one is {value}")

    def programs(self, path, pattern, non=False):
        """Both programs observe, one after the other, until they have shown COUNT values. Their
        messages are looked at here; name and process."""
        clock, script = Observation(self, "/obs-non", token=b"clock"), Script(self)
        for name in PROGRAMS:
            # What was deleted is there again with the next tick.
            self.until(lambda: (clock.next(), script.run(Want("get", path)))[1],
                       lambda shown: "tick" in shown)
            self.tap = self.start_tap()  # nobody else's messages
            more = ("-s", "20") if name == "libcoap" else ()
            process = Command(self, name).start(Want("get", path, non=non), "-w", *more,
                                                observe=True)
            process.wait_until(lambda: len(set(re.findall(pattern, process.output["stdout"]))) >=
                               COUNT, f"{COUNT} values")
            passed = self.tap.messages()
            request, response = [one.message for one in passed[:2]]
            self.check_registration(request, response, path[1:], NON if non else CON)
            before = response
            for notification in [one.message for one in passed[2:] if not one.up and
                                 one.message.token == request.token]:
                self.check_notification(response, before, notification, NON if non else CON)
                before = notification
            self.check_acknowledged(passed)
            yield name, process
            process.close()

    def check_acknowledged(self, passed):
        """Each Confirmable notification but the last, whose Acknowledgement may be on its way."""
        down = [one.message.mid for one in passed if not one.up and one.message.kind == CON]
        up = [one.message.mid for one in passed if one.up and one.message.kind == ACK]
        self.assertGreaterEqual(len(up), min(1, len(down) - 1))
        self.assertLessEqual(set(down[:-1]), set(up))


class Observe(ObserveTest):
    options = ("--period", "100", "--ack-timeout", "2000")

    def test_TD_COAP_OBS_01_confirmable(self):
        observation = self.observe()
        before = observation.response
        for _ in range(COUNT):
            notification = observation.next()
            self.check_notification(observation.response, before, notification)
            before = notification
        for _ in self.programs("/obs", rb"tick \d+"):
            pass

    def test_TD_COAP_OBS_02_non_confirmable(self):
        observation = self.observe("/obs-non", kind=NON)
        before, kinds = observation.response, []
        for _ in range(COUNT):
            notification = observation.next()
            self.check_notification(observation.response, before, notification, NON)
            kinds.append(notification.kind)
            before = notification
        self.assertIn(NON, kinds)
        for _ in self.programs("/obs-non", rb"tick \d+", non=True):
            self.assertTrue(any(not one.up and one.message.kind == NON
                                for one in self.tap.messages()[2:]))

    def test_TD_COAP_OBS_03_stop_non_confirmable(self):
        witness = self.observe("/obs-non", token=b"witness")
        observation = self.observe("/obs-non", kind=NON)
        _, response = observation.ask(OBSERVE, b"\x01", kind=NON)
        if response.all(OBSERVE):  # a notification that was faster
            response = self.until(observation.next, lambda one: not one.all(OBSERVE))
        self.assertEqual((response.kind, response.code), (NON, "2.05"))
        observation.is_quiet(witness)

    def test_TD_COAP_OBS_04_client_notices_by_max_age(self):
        observation = self.observe()
        # Silence means nothing for so long, which is as long as no tick is missed.
        self.assertEqual(observation.response.first(MAX_AGE), 1)
        self.assertEqual(observation.next().first(MAX_AGE), 1)
        port = self.server.port
        self.server.signal(signal.SIGKILL)
        self.server.wait()
        self.server = self.start_server(*self.options, "--port", port)
        witness = self.observe(token=b"witness")
        with contextlib.suppress(Silence):  # sent by the server that is gone
            while True:
                observation.endpoint.receive(0)
        observation.is_quiet(witness)
        request, response = observation.ask(OBSERVE, b"")
        self.check_registration(request, response, "obs")
        self.check_notification(response, response, observation.next())

    def test_TD_COAP_OBS_06_reset(self):
        witness, observation = self.observe(token=b"witness"), self.observe()
        observation.next(reply=RST)
        observation.is_quiet(witness)

    def test_TD_COAP_OBS_07_delete(self):
        witness, observation = self.observe("/obs-non", token=b"witness"), self.observe()
        self.assertEqual(self.delete("/obs").code, "2.02")
        self.check_end(self.end_of(observation), observation, "4.04")
        observation.is_quiet(witness)
        for _, process in self.programs("/obs", rb"tick \d+"):
            self.delete("/obs")
            process.wait_for("4.04", stream="stderr")

    def test_TD_COAP_OBS_08_other_content_format(self):
        witness, observation = self.observe("/obs-non", token=b"witness"), self.observe()
        self.assertEqual(self.put("/obs", "{}", form=JSON).code, "2.04")
        self.check_end(self.end_of(observation), observation, "4.06")
        observation.is_quiet(witness)
        self.delete("/obs")
        for name, process in self.programs("/obs", rb"tick \d+"):
            self.put("/obs", "{}", form=JSON)
            process.wait_for("4.06", stream="stderr")
            self.delete("/obs")

    def test_TD_COAP_OBS_09_update(self):
        observation = self.observe()
        self.assertEqual(self.put("/obs", "new").code, "2.04")
        before = self.until(observation.next, lambda one: one.payload == b"new")
        for _ in range(COUNT):
            notification = observation.next()
            self.check_notification(observation.response, before, notification)
            self.assertEqual(notification.payload, b"new")
            before = notification
        self.delete("/obs")
        for name, process in self.programs("/obs", rb"tick \d+"):
            self.put("/obs", f"new for {name}")
            process.wait_for(f"new for {name}")
            self.delete("/obs")

    def test_TD_COAP_OBS_10_get_does_not_cancel(self):
        observation = self.observe()
        request, answer = observation.get(token=b"other")
        self.assertEqual((answer.mid, answer.code, answer.token), (request.mid, "2.05", b"other"))
        self.assertEqual(answer.first(CONTENT_FORMAT), TEXT)
        self.assertEqual(answer.all(OBSERVE), [])
        before = observation.response
        for _ in range(COUNT):
            notification = observation.next()
            self.check_notification(observation.response, before, notification)
            before = notification

    def test_TD_COAP_OBS_12_cancel(self):
        witness, observation = self.observe(token=b"witness"), self.observe()
        request, response = observation.ask(OBSERVE, b"\x01")
        self.check_cancelled(request, response, observation.token)
        observation.is_quiet(witness)

    def check_cancelled(self, request, response, token):
        self.assertEqual((request.token, response.token), (token, token))
        self.assertEqual((response.kind, response.mid, response.code), (ACK, request.mid, "2.05"))
        self.assertEqual(response.first(CONTENT_FORMAT), TEXT)
        self.assertEqual(response.all(OBSERVE), [])

    def test_TD_COAP_OBS_12_cancelled_by_programs(self):
        for name, enough in (("hermod", ("-C", "2")), ("libcoap", ("-s", "1"))):
            with self.subTest(client=name):
                self.tap.start()
                process = Command(self, name).start(Want("get", "/obs"), "-w", *enough,
                                                    observe=True)
                self.assertEqual(process.wait(), 0, process.text("stderr"))
                cancel = self.tap.wait_for(lambda passed: [
                    one.message for one in passed
                    if one.up and one.message.all(OBSERVE) == [b"\x01"]])[0]
                response = self.tap.wait_for(lambda passed: [
                    one.message for one in passed if not one.up and one.message.kind == ACK
                    and one.message.mid == cancel.mid])[0]
                first = self.tap.messages()[0].message
                self.check_cancelled(cancel, response, first.token)

    def rest_of(self, observation, first):
        """The whole of which `first` is block 0, fetched with another token and without Observe;
        None when it has changed meanwhile."""
        body, (_, more, size), tag = first.payload, first.block(BLOCK2), first.all(ETAG)
        while more:
            number = len(body) // size
            _, answer = observation.ask(BLOCK2, block(number, 0, size), token=b"rest")
            if answer.all(ETAG) != tag:
                return None
            self.assertEqual((answer.code, answer.all(OBSERVE)), ("2.05", []))
            self.assertEqual(answer.block(BLOCK2)[::2], (number, size))
            body, more = body + answer.payload, answer.block(BLOCK2)[1]
        return body

    def check_whole(self, body):
        """Numbered lines of one value, with no gap."""
        lines = body.decode().splitlines()
        value = lines[0].partition(" ")[2]
        self.assertRegex(value, r"^tick \d+$")
        self.assertEqual(lines, [f"{number:04} {value}" for number in range(1, len(lines) + 1)])
        self.assertGreater(len(body), 1024)

    def test_TD_COAP_OBS_13_large(self):
        observation = self.observe("/obs-large")
        self.assertEqual(observation.response.block(BLOCK2), (0, 1, 1024))
        self.assertEqual(len(observation.response.payload), 1024)
        whole = []
        for notification in (observation.next() for _ in range(MOST)):
            self.assertEqual(notification.block(BLOCK2), (0, 1, 1024))
            self.assertEqual((notification.kind, len(notification.payload)), (CON, 1024))
            body = self.rest_of(observation, notification)
            if body is not None:
                self.check_whole(body)
                whole.append(body)
            if len(whole) == 2:
                break
        self.assertNotEqual(*whole)
        for _ in self.programs("/obs-large", rb"0100 tick \d+"):
            pass

    def test_TD_COAP_OBS_13_size_that_was_asked_for(self):
        observation = self.observe("/obs-large", options=[(BLOCK2, block(0, 0, 64))])
        self.assertEqual(observation.response.block(BLOCK2), (0, 1, 64))
        self.assertEqual(observation.next().block(BLOCK2), (0, 1, 64))  # RFC 7959 §2.6

    def test_TD_COAP_OBS_14_large_or_small(self):
        observation = self.observe("/obs-pumping")
        seen = {True: 0, False: 0}
        for notification in (observation.next() for _ in range(MOST)):
            is_large = notification.block(BLOCK2) is not None
            if is_large:
                self.assertEqual(notification.block(BLOCK2), (0, 1, 1024))
                body = self.rest_of(observation, notification)
                if body is not None:
                    self.check_whole(body)
                seen[True] += body is not None
            else:
                self.assertRegex(notification.payload, rb"^tick \d+$")
                seen[False] += 1
            if min(seen.values()) == 2:
                break
        self.assertGreaterEqual(min(seen.values()), 2)
        # The registration's response comes both ways too.
        for is_large in True, False:
            self.until(lambda: (observation.next(), observation.ask(OBSERVE, b"")[1])[1],
                       lambda one: (one.block(BLOCK2) is not None) == is_large)


class Lossy(ObserveTest):
    options = ("--period", "100", "--ack-timeout", "60")

    def test_TD_COAP_OBS_05_client_off(self):
        witness, observation = self.observe("/obs-non", token=b"witness"), self.observe()
        sent = self.unanswered(observation, witness)
        # MAX_RETRANSMIT repetitions, and the one whose Acknowledgement may have come too late.
        self.assertIn(len(sent), (4, 5, 6))
        # What is repeated is the newest value, with a number of its own (RFC 7641 §4.5.2).
        before = observation.response
        for notification in sent:
            self.assertEqual(notification.kind, CON)
            if notification.mid != before.mid:
                self.check_notification(observation.response, before, notification)
            before = notification
        self.assertGreater(len({one.first(OBSERVE) for one in sent}), 2)
        self.assertEqual(observation.endpoint.ping(), [])

    @staticmethod
    def unanswered(observation, witness):
        """What comes to who says nothing any more, until nothing has come for as long as the last
        repetition may wait: 16 times ACK_TIMEOUT, and half as much again, which is 15 ticks."""
        sent, quiet = [], 0
        for _ in range(MOST * 4):
            witness.next()
            quiet += 1
            with contextlib.suppress(Silence):
                while True:
                    sent.append(observation.endpoint.receive(0))
                    quiet = 0
            if quiet == 20:
                return sent
        raise AssertionError(f"it does not end: {sent}")

    def test_TD_COAP_OBS_11_lossy(self):
        self.tap.start(lose=self.every_second_notification())
        observation = Observation(self, "/obs")
        self.check_registration(observation.request, observation.response, "obs")
        before = observation.response
        for _ in range(2 * COUNT):
            notification = observation.next()
            self.check_notification(observation.response, before, notification)
            before = notification
        passed = self.tap.messages()
        self.assertGreaterEqual(sum(one.lost for one in passed), COUNT)
        # One at a time: a message that is not acknowledged is repeated, or a newer value takes its
        # place in the same series, never longer than MAX_RETRANSMIT allows.
        in_flight = 0
        for one in passed:
            if not one.up and one.message.kind == CON:
                in_flight += 1
                self.assertLessEqual(in_flight, 5)
            elif one.up and one.message.kind == ACK:
                in_flight = 0

    @staticmethod
    def every_second_notification():
        counted = []

        def is_lost(up, message):
            if not up and message.kind == CON:
                counted.append(message)
            return not up and message.kind == CON and len(counted) % 2 == 1
        return is_lost


class OneAtATime(ObserveTest):
    """TD_COAP_OBS_11, the part about a slow line: ACK_TIMEOUT is longer than several ticks."""
    options = ("--period", "50", "--ack-timeout", "1000")

    def test_TD_COAP_OBS_11_never_several_at_once(self):
        witness = self.observe("/obs-non", token=b"witness")
        self.tap.start()
        observation = Observation(self, "/obs")
        first = observation.endpoint.receive()
        for _ in range(5):  # of the other observer's notifications, meanwhile
            witness.next()
        # The first one is repeated after ACK_TIMEOUT, with a newer value; nothing else has come.
        second = observation.endpoint.receive()
        ticks = [one.message.token for one in self.tap.messages() if not one.up]
        between = ticks[ticks.index(b"obs", ticks.index(b"obs") + 1) + 1:]
        self.assertGreaterEqual(between.index(b"obs"), 5)
        self.check_notification(observation.response, first, second)
        observation.endpoint.empty(ACK, second.mid)
        third = observation.endpoint.receive()
        self.check_notification(observation.response, second, third)
        self.assertNotEqual(third.payload, second.payload)


if __name__ == "__main__":
    main()
