# SPDX-License-Identifier: Apache-2.0
"""Processes for tests: the broker, clients, foreign programs, each with bounded waits.

The program under test is the path in the environment variable HERMOD. Nothing here sleeps: whoever
waits, waits for output or for an end. Every process ends with the test that started it.
"""
import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

HERMOD = os.environ.get("HERMOD", "")
OPEN = object()
PATIENCE_S = 20  # generous: sanitizers and busy machines are slow


def require(program):
    """The path of a foreign program. Its absence fails the test: it must not pass unnoticed."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if path is None:
        raise AssertionError(f"{program} is missing: install what packaging/packages.apt lists")
    return path


def free_port(kind=socket.SOCK_STREAM):
    """A port of the loopback interface that nobody uses now, IPv4 and IPv6."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A program whose output is read while it runs.

    Whoever waits for one of them reads what all of them write: a broker whose output nobody reads
    would stop as soon as the pipe is full.
    """

    running = []

    def __init__(self, *command, stdin=None, environment=None):
        """`stdin` is all that the program gets to read; None: nothing; OPEN: what say() writes."""
        self.command = [str(word) for word in command]
        self.output = {"stdout": b"", "stderr": b""}
        # Where a broker keeps things when its configuration does not say: each has its own.
        self.state = tempfile.mkdtemp(prefix="hermod-state-")
        self.child = subprocess.Popen(
            self.command, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, LC_ALL="C", STATE_DIRECTORY=self.state, **(environment or {})))
        self.open = {self.child.stdout: "stdout", self.child.stderr: "stderr"}
        for stream in self.open:
            os.set_blocking(stream.fileno(), False)
        self.running.append(self)
        if stdin is None or stdin is OPEN:
            return
        self.child.stdin.write(stdin)
        self.child.stdin.close()

    def say(self, line):
        """Writes a line to a program that was started with stdin=OPEN."""
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()

    def _pump(self, until):
        """Takes what has come; waits for something to come at most until then."""
        if not self.open:
            time.sleep(0.005)  # nothing can be waited for: the process is about to end
            return
        open_ones = {stream: process for process in self.running for stream in process.open}
        ready, _, _ = select.select(list(open_ones), [], [], max(0, until - time.monotonic()))
        for stream in ready:
            open_ones[stream]._take(stream)

    def _take(self, stream):
        data = stream.read()
        if data:
            self.output[self.open[stream]] += data
        else:
            del self.open[stream]
            stream.close()

    def _fail(self, what):
        raise AssertionError(f"{what}\ncommand: {' '.join(self.command)}\n"
                             f"stdout: {self.output['stdout'][-2000:]!r}\n"
                             f"stderr: {self.output['stderr'][-2000:]!r}")

    def wait_until(self, condition, what, patience=PATIENCE_S):
        """Waits for output until the condition holds, and returns its value."""
        until = time.monotonic() + patience
        while True:
            value = condition()
            if value:
                return value
            if not self.open:
                self._fail(f"ended without {what}")
            if time.monotonic() > until:
                self._fail(f"no {what} within {patience} s")
            self._pump(until)

    def wait_for(self, pattern, stream="stdout", patience=PATIENCE_S):
        """Waits until the output matches a regular expression, and returns the match."""
        expression = re.compile(pattern if isinstance(pattern, bytes) else pattern.encode(), re.M)
        return self.wait_until(lambda: expression.search(self.output[stream]),
                               f"{pattern!r} on {stream}", patience)

    def wait_lines(self, count):
        """Waits for so many whole lines on stdout and returns them."""
        self.wait_for(b"\\A(?:.*\n){%d}" % count)
        return self.text().splitlines()[:count]

    def wait(self, patience=PATIENCE_S):
        """Waits for the end and returns the exit status."""
        until = time.monotonic() + patience
        while self.open or self.child.poll() is None:
            if time.monotonic() > until:
                self._fail(f"did not end within {patience} s")
            self._pump(until)
        return self.child.returncode

    def text(self, stream="stdout"):
        return self.output[stream].decode(errors="backslashreplace")

    def signal(self, number):
        self.child.send_signal(number)

    def close(self):
        """Ends it if it still runs."""
        with contextlib.suppress(ValueError):  # it has been closed before
            self.running.remove(self)
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        if self.child.stdin and not self.child.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self.child.stdin.close()
        for stream in (self.child.stdout, self.child.stderr):
            stream.close()
        shutil.rmtree(self.state, ignore_errors=True)


class Broker(Process):
    """`hermod serve` with MQTT and CoAP on free ports of the loopback interface."""

    def __init__(self, *lines, directory, anonymous=True, arguments=()):
        self.mqtt = free_port()
        self.coap = free_port(socket.SOCK_DGRAM)
        self.file = Path(directory) / f"hermod-{self.mqtt}.conf"
        self.write(*lines, anonymous=anonymous)
        super().__init__(HERMOD, "serve", "-c", self.file, *arguments)
        self.wait_for("hermod version .* running", stream="stderr")

    def write(self, *lines, anonymous=True):
        """(Re)writes the configuration."""
        self.file.write_text("\n".join([
            f"listener {self.mqtt} 127.0.0.1", f"listener {self.coap} 127.0.0.1", "protocol coap",
            f"allow_anonymous {'true' if anonymous else 'false'}", *lines, ""]))

    def stop(self):
        """Ends it politely; it must then end with status 0."""
        self.signal(signal.SIGTERM)
        status = self.wait()
        if status != 0:
            self._fail(f"ended with status {status} after SIGTERM")


class ProcessTest(unittest.TestCase):
    """A test with processes and a directory of its own."""

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="hermod-test-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def start(self, *command, kind=Process, **options):
        process = kind(*command, **options)
        self.addCleanup(process.close)
        return process

    def finish(self, *command, status=0, **options):
        """Runs a command to its end, checks its exit status and returns its stdout."""
        process = self.start(*command, **options)
        ended = process.wait()
        if ended != status:
            process._fail(f"exit status {ended} instead of {status}")
        return process.text()

    def start_broker(self, *lines, **options):
        broker = Broker(*lines, directory=self.directory, **options)
        self.addCleanup(broker.close)
        return broker


def main():
    """Runs the tests of the calling module."""
    if not os.access(HERMOD, os.X_OK):
        raise SystemExit("HERMOD must name the program under test")
    unittest.main()
