#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SRV records (-S, RFC 2782) with a name server of the test's own: the test starts itself again in
a world where that server is the only one. mosquitto's programs of Debian do not know -S."""
import os
import sys
import tempfile
import unittest
from pathlib import Path

from name_server import NameServer, address, enter_world, srv, world
from processes import HERMOD, ProcessTest, free_port
from recorder import Recorder

INSIDE = "inside"


class SrvTest(ProcessTest):
    records = {}

    @classmethod
    def setUpClass(cls):
        cls.server = NameServer(cls.records)

    def setUp(self):
        super().setUp()
        self.records.clear()
        self.records["broker.test"] = [address("127.0.0.1")]
        self.server.asked.clear()
        self.broker = Recorder()
        self.addCleanup(self.broker.close)

    def publish(self, *options, program=(HERMOD, "pub"), status=0):
        process = self.start(*program, "-S", *options, "-t", "a", "-m", "x")
        self.assertEqual(process.wait(), status, process.text("stderr"))
        return process.text("stderr")

    def test_the_record_says_host_and_port(self):
        self.records["_mqtt._tcp.a.test"] = [srv(0, 0, self.broker.port, "broker.test")]
        self.publish("-h", "a.test")
        self.assertEqual(self.server.asked, ["_mqtt._tcp.a.test"])
        self.broker.thread.join(5)
        self.assertEqual([packet[0] >> 4 for packet in self.broker.packets], [1, 3, 14])

    def test_under_the_name_of_mosquitto_too(self):
        link = self.directory / "mosquitto_pub"
        link.symlink_to(HERMOD)
        self.records["_mqtt._tcp.a.test"] = [srv(0, 0, self.broker.port, "broker.test")]
        self.publish("-h", "a.test", "-p", "1", program=(link,))

    def test_the_next_one_is_tried_when_one_does_not_answer(self):
        self.records["_mqtt._tcp.a.test"] = [
            srv(2, 0, self.broker.port, "broker.test"), srv(1, 5, free_port(), "broker.test"),
            srv(0, 0, 1883, "no-such-host.test")]
        self.publish("-h", "a.test")

    def test_the_lowest_priority_comes_first(self):
        self.records["_mqtt._tcp.a.test"] = [srv(9, 0, free_port(), "broker.test"),
                                             srv(3, 0, self.broker.port, "broker.test")]
        self.publish("-h", "a.test")

    def test_without_a_host_it_is_the_own_domain(self):
        self.records["_mqtt._tcp.home.test"] = [srv(0, 0, self.broker.port, "broker.test")]
        self.publish()
        self.assertEqual(self.server.asked[-1], "_mqtt._tcp.home.test")

    def test_what_is_not_there_is_explained(self):
        self.assertIn('The domain "none.test" names no MQTT server',
                      self.publish("-h", "none.test", status=1))
        self.records["_mqtt._tcp.no.test"] = [srv(0, 0, 0, "")]
        self.assertIn('The domain "no.test" names no MQTT server',
                      self.publish("-h", "no.test", status=1))
        self.records["_mqtt._tcp.a.test"] = [srv(0, 0, free_port(), "broker.test")]
        self.assertIn("Connection refused", self.publish("-h", "a.test", status=1))
        self.records["_mqtt._tcp.bad.test"] = [(33, b"\0")]
        self.assertIn("no name server gives an answer", self.publish("-h", "bad.test", status=1))
        self.assertIn("-S looks the port up", self.publish("-h", "a.test", "-p", "1", status=2))


class Outside(unittest.TestCase):
    def test_in_a_world_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "resolv.conf"
            file.write_text("nameserver 127.0.0.1\nsearch home.test\n"
                            "options timeout:1 attempts:1\n")
            ended = world(os.path.abspath(__file__), INSIDE, str(file))
        if ended is None:
            self.skipTest("this system allows no namespaces: SRV records are not tested")
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        self.assertIn("OK", ended.stderr)


if __name__ == "__main__":
    if not os.access(HERMOD, os.X_OK):
        raise SystemExit("HERMOD must name the program under test")
    if INSIDE in sys.argv:
        enter_world(sys.argv[2])
        unittest.main(argv=sys.argv[:1], defaultTest="SrvTest")
    else:
        unittest.main(defaultTest="Outside")
