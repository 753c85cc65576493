#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How soon a broker with a large store is ready, and what sessions that are away cost it in memory.

bench/restart.py [--folder DIR] [--json FILE] [--runs N] [SESSIONSxMESSAGES...]

A store with so many lasting sessions and queued messages in each is made by `hermod store import`.
Then the broker starts on it, the page cache warm: the time until a client has its CONNACK, and the
memory of the process once it has been quiet for a second. At last some sessions come back and must
get all their messages.
"""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from durable import HERMOD, Client, free_port

PAYLOAD = "x" * 64
FOR_EVER = 0xFFFFFFFF


def line(kind, **members):
    return json.dumps({kind: members}, separators=(",", ":")) + "\n"


def message_of(session):
    return {"kind": "topic", "address": f"devices/{session}/state", "routing_key": None,
            "payload": PAYLOAD, "guarantee": 1, "retain": False,
            "origin": {"protocol": 1, "shard": 0, "connection": 0, "client": 0, "exchange": 0},
            "version": 0, "expires_at_ms": None, "properties": None}


def lines_of(sessions, messages):
    """An export of such a store, docs/formats/export.md; messages of all sessions in turns."""
    yield line("export", format=1)
    for session in range(1, sessions + 1):
        yield line("subscriber", queue=session, name=f"device-{session}", group=False,
                   expiry_s=FOR_EVER, expires_at_ms=None, away=True, user=None, listener="",
                   will=None)
        yield line("subscription", queue=session, filter=f"devices/{session}/#", guarantee_max=1,
                   retain_handling=0, no_local=False, retain_as_published=False, subscription_id=0)
    for session in range(1, sessions + 1):
        yield line("queue", queue=session, next_tag=messages + 1, exchanges=[])
    for tag in range(1, messages + 1):
        for session in range(1, sessions + 1):
            recipient = {"queue": session, "tag": tag, "guarantee": 1,
                         "retain_as_published": False, "released": False, "subscription_ids": []}
            yield line("queued", recipients=[recipient], message=message_of(session))


def make_store(store, sessions, messages):
    count = 0
    with subprocess.Popen([HERMOD, "store", "import", str(store)], stdin=subprocess.PIPE,
                          text=True) as importing:
        for count, one in enumerate(lines_of(sessions, messages), 1):
            importing.stdin.write(one)
        importing.stdin.write(line("end", lines=count, complete=True))
    if importing.returncode != 0:
        sys.exit("restart: the store could not be made")


def memory(pid):
    """Resident octets."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Rss: +(\d+) kB$", text, re.M)[1]) * 1024


def wait_until_ready(port, process):
    while True:
        try:
            return Client(port, "first")
        except OSError:
            if process.poll() is not None:
                sys.exit("restart: the broker does not start")
            time.sleep(0.001)


def check(port, sessions, messages):
    for session in (1, sessions // 2 + 1, sessions):
        client = Client(port, f"device-{session}", lasting=True)
        got = b""
        end = time.monotonic() + 10
        while got.count(PAYLOAD.encode()) < min(messages, 20):  # as many as may be in flight
            got += client.socket.recv(1 << 16)
            if time.monotonic() > end:
                sys.exit(f"restart: device-{session} does not get its messages")
        client.close()


def start(folder, store, sessions, messages):
    port = free_port()
    config = Path(folder) / "hermod.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nthreads 1\n"
                      f"persistence_location {store}\n")
    with open(Path(folder) / "log", "wb") as log:
        before = time.perf_counter()
        process = subprocess.Popen([HERMOD, "serve", "-c", str(config)], stdout=log, stderr=log)
        wait_until_ready(port, process).close()
        ready = time.perf_counter() - before
    time.sleep(1)
    used = memory(process.pid)
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = int(fields[11]) + int(fields[12])
    check(port, sessions, messages)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    return {"ready_s": ready, "cpu_s": cpu / os.sysconf("SC_CLK_TCK"), "memory": used}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", help="on the file system that is to be measured")
    parser.add_argument("--json", type=Path, help="the figures go into this file too")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("stores", nargs="*", default=["100000x10", "1000x1000", "1x1000000"])
    options = parser.parse_args()
    out = {}
    rows = ["| Sessions | Messages in each | Ready after | CPU until quiet | Memory | a session |",
            "| --- | --- | --- | --- | --- | --- |"]
    for wanted in options.stores:
        sessions, messages = map(int, wanted.split("x"))
        with tempfile.TemporaryDirectory(prefix="restart-", dir=options.folder) as folder:
            store = Path(folder) / "store"
            make_store(store, sessions, messages)
            runs = [start(folder, store, sessions, messages) for _ in range(options.runs)]
            shutil.rmtree(store)
        out[wanted] = runs
        ready, cpu, used = (statistics.median(run[name] for run in runs)
                            for name in ("ready_s", "cpu_s", "memory"))
        rows.append(f"| {sessions:,} | {messages:,} | {ready:.2f} s | {cpu:.2f} s "
                    f"| {used / 2**20:.0f} MiB | {used / sessions:,.0f} octets |")
    if options.json:
        options.json.write_text(json.dumps(out, indent=1) + "\n")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
