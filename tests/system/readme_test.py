#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the README tells a newcomer to type, word for word, on the ports that it names: in a network
namespace of its own, where those are free."""
import fcntl
import os
import re
import shlex
import signal
import socket
import struct
import sys
import unittest
from pathlib import Path

from processes import HERMOD, ProcessTest, main, require

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "build/release/hermod"  # as the README calls the program under test
INSIDE = "HERMOD_TEST_NAMESPACE"


def enter_namespace():
    """Starts this test again in a network namespace with nothing but a loopback interface."""
    if os.environ.get(INSIDE):
        set_flags, up_and_running = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            fcntl.ioctl(probe, set_flags, struct.pack("16sh", b"lo", up_and_running))
        return
    os.environ[INSIDE] = "1"
    command = [require("unshare"), "--net", "--map-root-user", sys.executable, *sys.argv]
    os.execv(command[0], command)


def blocks(language):
    """The code blocks of the README's second and third sections, with their prose in between."""
    text = (ROOT / "README.md").read_text()
    part = text[text.index("## Five minutes"):text.index("## What there is")]
    return re.findall(rf"^```{language}\n(.*?)^```", part, re.M | re.S)


def commands():
    return [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]


class Readme(ProcessTest):
    def run_line(self, line, **options):
        words = shlex.split(line)
        if words[0] != PROGRAM:
            words[0] = require(words[0])
        return self.start(*(word.replace(PROGRAM, HERMOD) for word in words), **options)

    def complete(self, line):
        process = self.run_line(line)
        self.assertEqual(process.wait(), 0, f"{line}\n{process.text('stderr')}")
        return process.text()

    def serve(self, *options):
        server = self.start(HERMOD, "serve", *options)
        server.wait_for("hermod version .* running", stream="stderr")
        return server

    def lines(self, *wanted):
        """The commands that are about to run, each of which must be one of the README's."""
        for line in wanted:
            self.assertIn(line, commands())
        return wanted

    def test_five_minutes(self):
        self.serve()
        watch, first = self.lines(f"{PROGRAM} sub -t 'Temperature/+' -v",
                                  f"{PROGRAM} pub -t Temperature/Kitchen -m 34.5")
        watcher = self.run_line(watch + " -d")
        watcher.wait_for("SUBACK", stream="stderr")
        self.complete(first)
        watcher.wait_for("^Temperature/Kitchen 34.5$")
        mqtt, coap, read = self.lines(
            f"{PROGRAM} pub mqtt://localhost/Temperature/Kitchen -m 34.5 -r",
            f"{PROGRAM} pub coap://localhost/Temperature/Kitchen -m 35.1",
            f"{PROGRAM} sub coap://localhost/Temperature/Kitchen -C 1")
        self.complete(mqtt)
        self.complete(coap)
        watcher.wait_for("^Temperature/Kitchen 35.1$")
        self.assertEqual(self.complete(read), "35.1\n")

    def test_other_peoples_programs(self):
        server = self.serve()
        publish, put, get, observe = self.lines(
            "mosquitto_pub -t Temperature/Kitchen -m 34.5",
            "coap-client-notls -m put -e 34.5 coap://localhost/ps/data/Temperature/Kitchen",
            "coap-client-notls -m get coap://localhost/ps/data/Temperature/Kitchen",
            "coap-client-notls -s 10 coap://localhost/ps/data/Temperature/Kitchen")
        self.complete(put)
        self.assertIn("34.5", self.complete(get))
        observer = self.run_line(observe)
        observer.wait_for("34.5")
        self.complete(publish)
        observer.wait_for("34.5.*34.5")
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)

    def test_configuration(self):
        conf, = blocks("conf")
        (self.directory / "hermod.conf").write_text(conf)
        self.lines(f"{PROGRAM} serve -c hermod.conf -v")
        server = self.serve("-c", self.directory / "hermod.conf", "-v")
        said = server.text("stderr")
        for text in ("0.0.0.0:1883 (mqtt)", "0.0.0.0:5683 (coap)"):
            self.assertIn(text, said)
        self.complete("mosquitto_pub -t Temperature/Kitchen -m 34.5 -r")
        self.assertIn("34.5", self.complete(
            "coap-client-notls -m get coap://localhost/ps/data/Temperature/Kitchen"))

    def test_bench(self):
        spawned, at_url = self.lines(
            f"{PROGRAM} bench fan-out --spawn '{PROGRAM} serve --ephemeral -p {{port}}'",
            f"{PROGRAM} bench fan-out --url mqtt://localhost:1883")
        short = " --warmup 0.1 --duration 0.1"
        self.assertIn("lost 0, duplicated 0, reordered 0", self.complete(spawned + short))
        self.serve()
        self.assertIn("lost 0, duplicated 0, reordered 0", self.complete(at_url + short))

    def test_every_command_of_the_section_is_run_here(self):
        source = Path(__file__).read_text().replace("{PROGRAM}", PROGRAM).replace("{{port}}",
                                                                                  "{port}")
        self.assertGreater(len(commands()), 10)
        for line in commands():
            self.assertIn(f'"{line}"', source)


if __name__ == "__main__":
    enter_namespace()
    main()
