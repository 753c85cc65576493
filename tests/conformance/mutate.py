#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the tests of statements can fail: puts faults into a copy of the sources, one by one, and
runs the tests that check the statements which each fault breaks, or those it names itself. At least
one of each statement's must fail. The copy is build/mutants; what is under work is left alone. With
an argument only the faults in files whose path contains it."""
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from report import PROGRAMS, ROOT, SPECIFICATIONS, checks, named_tests, statements

TREE = ROOT / "build/mutants"
BUILD = TREE / "build/release"
PATIENCE_S = 120  # a fault may make a test wait for ever


def copy_sources():
    listing = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT,
                             check=True, capture_output=True, text=True).stdout
    for name in filter(None, listing.split("\0")):
        source, target = ROOT / name, TREE / name
        if not source.is_file():
            continue
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        shutil.copymode(source, target)


def build(*programs):
    done = subprocess.run(["./dev", "build", "release", *programs], cwd=TREE, text=True,
                          env={**os.environ, "HERMOD_NO_INSTALL": "1"}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
    return done.returncode == 0


def fails(program, tests):
    """Whether one of the tests of a program fails; all of them when there is no list."""
    command = [str(BUILD / program), "--gtest_brief=1"]
    if tests:
        command.append(f"--gtest_filter={':'.join(tests)}")
    try:
        return subprocess.run(command, cwd=BUILD, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=PATIENCE_S).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def tests_by_program(references):
    out = {}
    for reference in references:
        program, _, test = reference.partition(":")
        if reference.startswith("vector "):
            out["mqtt_codec_test"] = []
        elif program in PROGRAMS and out.get(program) != []:
            out.setdefault(program, []).append(test)
    return out


def references_of(found, statement):
    specification, _, name = statement.partition("/")
    references = tests_by_program(found[specification][name])
    if not references:
        sys.exit(f"{statement}: no test of a program checks it; choose another one")
    return references


def survivors(mutation, found):
    """The statements whose tests do not notice the fault; None when it cannot be built."""
    wanted = {s: references_of(found, s) for s in mutation.get("statements", [])}
    if "tests" in mutation:
        wanted["its tests"] = tests_by_program(mutation["tests"])
    file = TREE / mutation["file"]
    text = file.read_text()
    if text.count(mutation["old"]) != 1:
        sys.exit(f"{mutation['file']}: stands there {text.count(mutation['old'])} times, not "
                 f"once: {mutation['old']}")
    file.write_text(text.replace(mutation["old"], mutation["new"]))
    try:
        if not build(*sorted({program for tests in wanted.values() for program in tests})):
            return None
        return [s for s, programs in wanted.items()
                if not any(fails(program, tests) for program, tests in programs.items())]
    finally:
        file.write_text(text)


def main():
    mutations = tomllib.loads((ROOT / "tests/conformance/mutations.toml").read_text())["mutation"]
    mutations = [m for m in mutations if all(part in m["file"] for part in sys.argv[1:])]
    copy_sources()
    if not build(*PROGRAMS):
        sys.exit("the copy without a fault does not build")
    tests = [f"{program}:{suite}.{test}" for program, suite, test in named_tests(BUILD)]
    found = {name: checks(tests, specification, statements(specification["list"]))
             for name, specification in SPECIFICATIONS.items()}
    bad = 0
    for mutation in mutations:
        left = survivors(mutation, found)
        names = ", ".join(mutation.get("statements", mutation.get("tests")))
        if left is None:
            print(f"DOES NOT BUILD  {mutation['fault']} ({names})", flush=True)
        elif left:
            print(f"NOT NOTICED     {mutation['fault']} ({', '.join(left)})", flush=True)
        else:
            print(f"noticed         {mutation['fault']} ({names})", flush=True)
        bad += left is None or bool(left)
    print(f"{len(mutations) - bad} of {len(mutations)} faults noticed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
