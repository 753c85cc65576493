#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions per operation of the micro-benchmarks, counted by callgrind.

instructions.py show PROGRAM [FILTER]     the table, beside what is recorded
instructions.py profile PROGRAM FILTER    where they go, by function, for each case
instructions.py update PROGRAM            records the table in instructions.txt
instructions.py check PROGRAM             a test: the quick cases against the record
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

RECORD = Path(__file__).with_name("instructions.txt")
FACTOR_MAX = 1.25  # the record times this is still as it was
SLACK = 3  # instructions, for the cases of a dozen
SKIP = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def built_by(program):
    return subprocess.run([program, "--built-by"], capture_output=True, text=True,
                          check=True).stdout.strip()


def dumped(path):
    """The instructions of one dump."""
    return int(re.search(r"^totals: (\d+)", path.read_text(encoding="utf-8"), re.M)[1])


def count(program, mode, wanted, folder):
    """Instructions per operation by case, in the program's order, and each case's dump."""
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", "--instr-atstart=no", "-q",
         f"--callgrind-out-file={folder}/dump", program, mode, wanted],
        capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"{program} failed under callgrind:\n{run.stdout}{run.stderr}")
    lines = [line.split() for line in run.stdout.splitlines()]
    dumps = {name: Path(folder) / f"dump.{number}" for number, (name, _) in enumerate(lines, 1)}
    return {name: dumped(dumps[name]) / int(units) for name, units in lines}, dumps


def recorded():
    """(what built it, instructions by case), or ("", {})."""
    if not RECORD.exists():
        return "", {}
    head, *lines = RECORD.read_text(encoding="utf-8").splitlines()
    table = dict(line.split() for line in lines if line and not line.startswith("#"))
    return head.removeprefix("# built by: "), {name: float(n) for name, n in table.items()}


def show(program, wanted=""):
    compiler, record = recorded()
    if built_by(program) != compiler:
        print(f"(the record is of another build: {compiler})")
    with tempfile.TemporaryDirectory() as folder:
        table, _ = count(program, "--instructions", wanted, folder)
    print(f"{'instructions per operation':52}{'now':>10}{'recorded':>10}")
    for name, now in table.items():
        print(f"{name:52}{now:10.1f}{record.get(name, float('nan')):10.1f}")


def profile(program, wanted):
    with tempfile.TemporaryDirectory() as folder:
        table, dumps = count(program, "--instructions", wanted, folder)
        for name, now in table.items():
            print(f"== {name}: {now:.1f}", flush=True)
            annotate = ["callgrind_annotate", "--auto=no", "--threshold=98", dumps[name]]
            text = subprocess.run(annotate, capture_output=True, text=True, check=True).stdout
            lines = re.findall(r"^[\s\d,]+\(\s*([\d.]+)%\)\s+\S*?([^/\s]+:.*)", text, re.M)
            for percent, where in lines[:32]:
                print(f"{float(percent) * now / 100:10.1f}  {where[:110]}")


def update(program):
    with tempfile.TemporaryDirectory() as folder:
        table, _ = count(program, "--instructions", "", folder)
    rows = "".join(f"{name} {now:.1f}\n" for name, now in table.items())
    RECORD.write_text(
        f"# built by: {built_by(program)}\n"
        "# Instructions per operation; ./dev bench instructions --update writes this.\n" + rows,
        encoding="utf-8")
    print(f"{len(table)} cases recorded")


def check(program):
    if not Path(program).is_file():
        skip("hermod_micro was not built: libbenchmark-dev or valgrind was missing")
    if shutil.which("valgrind") is None:
        skip("there is no valgrind")
    compiler, record = recorded()
    if built_by(program) != compiler:
        skip(f"built by '{built_by(program)}', the record is of '{compiler}'")
    with tempfile.TemporaryDirectory() as folder:
        table, _ = count(program, "--quick-instructions", "", folder)
    broken = [f"{name}: {now:.1f} instructions, recorded {record[name]:.1f}"
              if name in record else f"{name} is not recorded"
              for name, now in table.items()
              if name not in record or now > record[name] * FACTOR_MAX + SLACK]
    if broken or not table:
        print("\n".join(broken))
        print("Mend it, or record what is wanted: ./dev bench instructions --update")
        return 1
    print(f"{len(table)} cases take no more than {FACTOR_MAX} times what is recorded")
    return 0


VERBS = {"show": show, "profile": profile, "update": update, "check": check}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in VERBS:
        sys.exit(__doc__)
    sys.exit(VERBS[sys.argv[1]](*sys.argv[2:]))
