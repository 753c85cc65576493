#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What durability costs beside a bare loop of write and fdatasync on the same disk.

bench/durable.py [--json FILE] [--folder DIR] [--seconds S] [--runs N]
                 [--payload OCTETS] [--inflight N] [--publishers N...]

Two questions, in interleaved runs:
- delay: a publisher with one message of QoS 1 in flight, for a lasting subscriber that is away.
  How much longer does PUBACK take than with --ephemeral, and how long does one fdatasync take?
- batches: so many publishers, with so many messages in flight each, for a lasting subscriber. How
  many batches a second does the store write, and how many does a bare loop, with as many octets in
  each as the payloads of the store's had on average? The loop writes over a file that is already
  there; a second one appends to a new file, as logs do. Where messages cost more than syncs,
  neither the disk nor the store is the limit: how many messages a second are there with
  --ephemeral?
"""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERMOD = os.environ.get("HERMOD", "build/release/hermod")
PAYLOAD = 64
SEGMENT = 64 << 20  # what the bare loop writes into, made before
BARE = ("bare", "appending")  # loops


# --- MQTT 3.1.1, as much as is needed ---

def text(words):
    octets = words.encode()
    return len(octets).to_bytes(2, "big") + octets


def packet(first, body):
    assert len(body) < 128 * 128
    low, high = len(body) % 128, len(body) // 128
    return bytes([first]) + (bytes([low | 128, high]) if high else bytes([low])) + body


class Client:
    """One connection; every call waits for the answer."""

    def __init__(self, port, name, lasting=False):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        flags = bytes([0 if lasting else 2])
        self.socket.sendall(packet(0x10, text("MQTT") + b"\x04" + flags + b"\0\0" + text(name)))
        self.expect(0x20, 4)

    def expect(self, first, size):
        answer = b""
        while len(answer) < size:
            more = self.socket.recv(size - len(answer))
            if not more:
                sys.exit("durable: the broker closed a connection")
            answer += more
        assert answer[0] == first, answer
        return answer

    def subscribe(self, topic):
        self.socket.sendall(packet(0x82, b"\0\1" + text(topic) + b"\1"))
        self.expect(0x90, 5)

    def publish(self, topic, payload):
        self.socket.sendall(packet(0x32, text(topic) + b"\0\1" + payload))
        self.expect(0x40, 4)

    def close(self):
        self.socket.sendall(b"\xe0\0")
        self.socket.close()


# --- the broker ---

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    def __init__(self, folder, durable):
        self.folder = Path(tempfile.mkdtemp(prefix="broker-", dir=folder))
        config = self.folder / "hermod.conf"
        config.write_text(
            f"listener {free_port()} 127.0.0.1\nallow_anonymous true\nthreads 1\n"
            "sys_interval 1\n"
            "max_queued_messages 0\nmax_queued_bytes 0\n"
            f"persistence {'true' if durable else 'false'}\n"
            f"persistence_location {self.folder / 'store'}\n")
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen([HERMOD, "serve", "-c", str(config)], stdout=self.log,
                                        stderr=subprocess.STDOUT)
        self.port = self.wait_for_port()

    def wait_for_port(self):
        for _ in range(1000):
            found = re.search(rb"127\.0\.0\.1:(\d+)", (self.folder / "log").read_bytes())
            if found:
                return int(found[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        sys.exit("durable: the broker does not start:\n" + (self.folder / "log").read_text())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.log.close()
        shutil.rmtree(self.folder)


# --- the bare loop ---

class Loop:
    """Writes a batch and syncs it, again and again: over a file that is already there, or appended
    to a new one."""

    def __init__(self, folder):
        self.path = Path(folder) / "bare"
        with open(self.path, "wb") as file:
            file.write(bytes(SEGMENT))
            os.fsync(file.fileno())
        self.file = os.open(self.path, os.O_WRONLY)

    def overwrite(self, octets, seconds):
        return self.run(self.file, octets, seconds)

    def append(self, octets, seconds):
        with tempfile.NamedTemporaryFile(dir=self.path.parent) as file:
            return self.run(file.fileno(), octets, seconds)

    @staticmethod
    def run(file, octets, seconds):
        """The time of each round, in seconds."""
        batch = os.urandom(octets)
        times = []
        end = time.perf_counter() + seconds
        place = 0
        before = time.perf_counter()
        while before < end:
            os.pwrite(file, batch, place)
            os.fdatasync(file)
            now = time.perf_counter()
            times.append(now - before)
            before = now
            place = place + octets if place + 2 * octets <= SEGMENT else 0
        return times


# --- what is measured ---

def delays(folder, durable, seconds):
    broker = Broker(folder, durable)
    reader = Client(broker.port, "reader", lasting=True)
    reader.subscribe("t")
    reader.close()
    client = Client(broker.port, "writer")
    payload = os.urandom(PAYLOAD)
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        before = time.perf_counter()
        client.publish("t", payload)
        times.append(time.perf_counter() - before)
    client.close()
    broker.stop()
    return times


def status(watcher, wanted):
    """(time, value of each wanted topic), once for each time that the broker says them. Of one time
    the first of the topics is said last."""
    values = {}
    rounds = []
    for line in watcher.stdout:
        moment, topic, value = line.split()
        values[topic] = int(value)
        if topic == wanted[0] and all(one in values for one in wanted):
            rounds.append((float(moment), *(values[one] for one in wanted)))
    return rounds


def batches(folder, durable, publishers, options):
    seconds = options.seconds
    broker = Broker(folder, durable)
    wanted = ["$SYS/broker/publish/messages/received", "$SYS/broker/store/batches"]
    watcher = subprocess.Popen(
        ["stdbuf", "-oL", HERMOD, "sub", "-p", str(broker.port), "-F", "%U %t %p",
         "-W", str(int(seconds + 4)),
         *(word for topic in wanted for word in ("-t", topic))],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    load = subprocess.Popen(
        [HERMOD, "bench", "fan-in", "--url", f"mqtt://127.0.0.1:{broker.port}", "-q", "1",
         "--lasting", "--publishers", str(publishers), "--inflight", str(options.inflight),
         "-W", str(max(64, options.inflight)), "--payload", str(options.payload),
         "--warmup", "0.2", "--duration", str(seconds + 3)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rounds = status(watcher, wanted)
    watcher.wait(10)
    if load.wait(60) != 0:
        sys.exit("durable: the load could not be measured, or the broker lost something")
    broker.stop()
    # Without the seconds in which the load begins and ends.
    busy = [(now, later) for now, later in zip(rounds, rounds[1:]) if later[1] > now[1]][1:-1]
    if not busy:
        sys.exit("durable: too short a time to measure; give more --seconds")
    first, last = busy[0][0], busy[-1][1]
    span = last[0] - first[0]
    found = {"messages_per_s": (last[1] - first[1]) / span}
    if durable:
        found["batches_per_s"] = (last[2] - first[2]) / span
        found["messages_per_batch"] = (last[1] - first[1]) / (last[2] - first[2])
    return found


def middle(times):
    return statistics.median(times) * 1e6


def measure(options, folder):
    loop = Loop(folder)
    out = {"payload": options.payload, "inflight": options.inflight, "delay": [], "batches": {}}
    for _ in range(options.runs):
        out["delay"].append({"durable_us": middle(delays(folder, True, options.seconds)),
                             "ephemeral_us": middle(delays(folder, False, options.seconds)),
                             "sync_us": middle(loop.overwrite(PAYLOAD, options.seconds))})
        for publishers in options.publishers:
            run = batches(folder, True, publishers, options)
            other = batches(folder, False, publishers, options)
            run["ephemeral_per_s"] = other["messages_per_s"]
            # What either the disk or the rest of the work allows.
            run["kept"] = run["messages_per_s"] / run["ephemeral_per_s"]
            octets = max(1, round(run["messages_per_batch"] * options.payload))
            for name, bare in zip(BARE, (loop.overwrite, loop.append)):
                per_s = 1 / statistics.mean(bare(octets, options.seconds))
                run[f"{name}_batches_per_s"] = per_s
                run[f"{name}_share"] = run["batches_per_s"] / per_s
            out["batches"].setdefault(str(publishers), []).append(run)
    return out


def median_of(runs, name):
    return statistics.median(run[name] for run in runs)


def tables(out):
    delay = out["delay"]
    more = statistics.median(run["durable_us"] - run["ephemeral_us"] for run in delay)
    lines = ["| PUBACK, durable | with `--ephemeral` | one write and fdatasync | more than that |",
             "| --- | --- | --- | --- |",
             f"| {median_of(delay, 'durable_us'):.0f} us "
             f"| {median_of(delay, 'ephemeral_us'):.0f} us "
             f"| {median_of(delay, 'sync_us'):.0f} us "
             f"| {more - median_of(delay, 'sync_us'):.0f} us |",
             "",
             "| Publishers | Messages a second | with `--ephemeral` | Share | a batch "
             "| Batches a second | Bare loop | Share | Appending loop | Share |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for publishers, runs in out["batches"].items():
        lines.append(
            f"| {publishers} | {median_of(runs, 'messages_per_s'):,.0f} "
            f"| {median_of(runs, 'ephemeral_per_s'):,.0f} | {median_of(runs, 'kept'):.2f} "
            f"| {median_of(runs, 'messages_per_batch'):.1f} "
            f"| {median_of(runs, 'batches_per_s'):,.0f} "
            + "".join(f"| {median_of(runs, f'{bare}_batches_per_s'):,.0f} "
                      f"| {median_of(runs, f'{bare}_share'):.2f} " for bare in BARE) + "|")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", type=Path, help="the figures go into this file too")
    parser.add_argument("--folder", help="on the file system that is to be measured")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--payload", type=int, default=PAYLOAD, help="of the second question")
    parser.add_argument("--inflight", type=int, default=1, help="messages a publisher, likewise")
    parser.add_argument("--publishers", type=int, nargs="+", default=[1, 16, 64, 256, 1000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="durable-", dir=options.folder) as folder:
        out = measure(options, folder)
    if options.json:
        options.json.write_text(json.dumps(out, indent=1) + "\n")
    print(tables(out))


if __name__ == "__main__":
    main()
