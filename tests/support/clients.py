# SPDX-License-Identifier: Apache-2.0
"""Command-line clients of both kinds, ours and the foreign ones, for tests against one broker."""
from processes import HERMOD, Process, ProcessTest, require

# A retained message that tells when a subscriber is known to the broker.
MARKER = "hermod-test/marker"
MARK = "all-subscribed"


class Subscriber(Process):
    """A subscriber that the broker knows already. The marker, which may come once more for a filter
    that matches it too, is not among its lines."""

    def wait_ready(self):
        self.wait_for(f"^.*{MARK}.*$\n?")

    def lines(self):
        whole = self.text().rpartition("\n")[0]
        return [line for line in whole.split("\n") if line and MARK not in line]

    def wait_lines(self, count):
        """Waits for so many lines and returns them."""
        self.wait_until(lambda: len(self.lines()) >= count, f"{count} lines")
        return self.lines()[:count]


class BrokerTest(ProcessTest):
    """A test with a broker, and clients that are told where it is."""

    broker_lines = ()

    def setUp(self):
        super().setUp()
        self.broker = self.start_broker(*self.broker_lines)
        self.publish("mosquitto", MARKER, MARK, "-r")

    def pub(self, kind):
        program = [require("mosquitto_pub")] if kind == "mosquitto" else [HERMOD, "pub"]
        return [*program, "-h", "127.0.0.1", "-p", self.broker.mqtt]

    def sub(self, kind):
        program = [require("mosquitto_sub")] if kind == "mosquitto" else [HERMOD, "sub"]
        return [*program, "-h", "127.0.0.1", "-p", self.broker.mqtt]

    def publish(self, kind, topic, message, *options):
        self.finish(*self.pub(kind), "-t", topic, "-m", message, *options)

    def subscribe(self, kind, *options):
        """A subscriber that has subscribed: it has printed the marker, its last topic."""
        subscriber = self.start(*self.sub(kind), *options, "-t", MARKER, kind=Subscriber)
        subscriber.wait_ready()
        return subscriber

    def coap_url(self, topic):
        return f"coap://127.0.0.1:{self.broker.coap}/ps/data/{topic}"

    def coap(self, method, topic, *options):
        """A request with libcoap's client; what it prints of the answer, value or error."""
        process = self.start(require("coap-client-notls"), "-B", "10", "-m", method, *options,
                             self.coap_url(topic))
        self.assertEqual(process.wait(), 0, process.text("stderr"))
        return process.text() + process.text("stderr")

    def observe(self, topic, seconds=60):
        """libcoap's client observing a topic; ready when the value that is there has come."""
        self.publish("mosquitto", topic, "value-before", "-r")
        observer = self.start(require("coap-client-notls"), "-s", str(seconds), "-m", "get",
                              self.coap_url(topic))
        observer.wait_for("value-before")
        return observer
