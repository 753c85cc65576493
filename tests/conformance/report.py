#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which tests check which statement of a specification, and which statements no test checks.

A statement is checked by a test that is named after it (MQTT_3_1_2_24_..., RFC7252_4_2_3_...,
several: _and_4_6_0_1_, _and_9_, _to_6_) in a suite of its specification, by a packet in the codec's
vectors that breaks it, or by the tests that its line in the list names (PROGRAM:SUITE.TEST, or
FILE.py:TEST of the tests with other people's clients); those must exist.

The RFCs number no statements: RFC7252-4.2-3 is the third sentence of section 4.2 that has a MUST,
MUST NOT, SHALL, SHALL NOT or REQUIRED.
"""
import argparse
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROGRAMS = ("mqtt_codec_test", "mqtt_session_test", "coap_codec_test", "coap_session_test",
            "client_test", "core_test", "broker_test")
SPECIFICATIONS = {
    "MQTT 3.1.1": {"list": "mqtt-3.1.1.txt", "suite": "Mqtt311",
                   "vectors": "mqtt_vectors_v311.cpp"},
    "MQTT 5.0": {"list": "mqtt-5.0.txt", "suite": "Mqtt5", "vectors": "mqtt_vectors_v5.cpp"},
    "RFC 7252": {"list": "rfc7252.txt", "suite": "Rfc7252"},
    "RFC 7641": {"list": "rfc7641.txt", "suite": "Rfc7641"},
    "RFC 7959": {"list": "rfc7959.txt", "suite": "Rfc7959"},
}


def statements(file):
    """Ids in order, with what their line says: tests, the reason of an exception, or nothing."""
    out = {}
    for line in (HERE / file).read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            out[name] = rest.strip()
    return out


def as_written(statement):
    """3.1.1 has an id with a hyphen too many."""
    return re.sub(r"^MQTT-(\d+)-(\d+\.)", r"MQTT-\1.\2", statement)


def ids_of(test_name):
    """The statements that a test is named after.

    >>> ids_of("MQTT_3_8_3_1_and_3_10_3_2_without_filter_closes")
    ['MQTT-3.8.3-1', 'MQTT-3.10.3-2']
    >>> ids_of("MQTT_3_10_4_4_to_6_and_8_0_is_no_id")
    ['MQTT-3.10.4-4', 'MQTT-3.10.4-5', 'MQTT-3.10.4-6', 'MQTT-3.10.4-8']
    >>> ids_of("RFC7252_4_2_3_and_4_and_5_3_1_2_to_3_what_happens")
    ['RFC7252-4.2-3', 'RFC7252-4.2-4', 'RFC7252-5.3.1-2', 'RFC7252-5.3.1-3']
    >>> ids_of("RFC7641_2_1_what_happens"), ids_of("RFC7252"), ids_of("Figure_3_of_RFC7252")
    (['RFC7641-2-1'], [], [])
    """
    match = re.match(r"(MQTT|RFC\d+)((?:_\d+)+)", test_name)
    if not match:
        return []
    document = match.group(1)
    # MQTT's sections are of three numbers, so that what a test shows may begin with one
    whole_pattern = r"((?:_\d+){4})" if document == "MQTT" else r"((?:_\d+){2,})(?=_|$)"
    numbers = []
    section = number = None
    rest = test_name[len(document):]
    while True:
        joint, _, after = ("", "", rest) if section is None else rest.partition("_and")
        whole = re.match(whole_pattern, after) if not joint else None
        one = re.match(r"_(and|to)_(\d+)(?=_|$)", rest) if section else None
        if whole:
            *section, number = (int(part) for part in whole.group(1)[1:].split("_"))
            numbers.append((section, number))
            rest = after[whole.end():]
        elif one:
            last = int(one.group(2))
            first = number + 1 if one.group(1) == "to" else last
            numbers += [(section, n) for n in range(first, last + 1)]
            number = last
            rest = rest[one.end():]
        else:
            return [f"{document}-{'.'.join(map(str, s))}-{n}" for s, n in numbers]


def named_tests(build):
    """(program, suite, test) of all programs."""
    for program in PROGRAMS:
        listing = subprocess.run([build / program, "--gtest_list_tests"], check=True,
                                 capture_output=True, text=True).stdout
        suite = ""
        for line in listing.splitlines():
            if line.startswith("  "):
                yield program, suite, line.split("#")[0].strip()
            else:
                suite = line.split("#")[0].strip().rstrip(".")


def is_test(reference, tests):
    """Whether a word of a line names a test that exists; None when it is no such word."""
    match = re.fullmatch(r"(\w+(?:\.py)?):([\w./]+)", reference)
    if not match:
        return None
    if not match.group(1).endswith(".py"):
        return reference in tests
    file = ROOT / "tests/interop" / match.group(1)
    return file.is_file() and f"def {match.group(2)}(" in file.read_text()


def checks(tests, specification, listed):
    found = defaultdict(list)
    for reference in tests:
        suite, _, test = reference.partition(":")[2].partition(".")
        if suite.startswith(specification["suite"]):
            for statement in ids_of(test):
                found[statement].append(reference)
    for statement, line in listed.items():
        for word in line.split():
            exists = is_test(word, tests)
            if exists:
                found[statement].append(word)
            elif exists is False:
                found[f"{word}, said to check {statement},"].append("a line")
    if "vectors" not in specification:
        return found
    vectors = ROOT / "src/protocols/mqtt/codec/tests" / specification["vectors"]
    for name, statement in re.findall(r'bad\(\s*"(\w+)",[^;]*?"(MQTT[-0-9.]+)"',
                                      vectors.read_text()):
        found[as_written(statement)].append(f"vector {name}")
    return found


def report(build, everything, only):
    missing = 0
    tests = [f"{program}:{suite}.{test}" for program, suite, test in named_tests(build)]
    for name, specification in SPECIFICATIONS.items():
        if only and name != only:
            continue
        listed = statements(specification["list"])
        found = checks(tests, specification, listed)
        for unknown in sorted(set(found) - set(listed)):
            print(f"{name}: {unknown} is not there; named by {found[unknown][0]}")
            missing += 1
        empty = [s for s in listed if not found[s] and not listed[s]]
        excepted = [s for s in listed if not found[s] and listed[s]]
        print(f"{name}: {len(listed)} statements, {len(listed) - len(empty) - len(excepted)} "
              f"with tests, {len(excepted)} exceptions, {len(empty)} empty")
        for statement in listed:
            if everything and found[statement]:
                print(f"  {statement:<16} {', '.join(found[statement])}")
            elif everything and listed[statement]:
                print(f"  {statement:<16} none: {listed[statement]}")
            elif not found[statement] and not listed[statement]:
                print(f"  {statement:<16} EMPTY")
        missing += len(empty)
    return missing


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("build", type=Path, help="build directory with the test programs")
    options.add_argument("--all", action="store_true", help="list what is checked, too")
    options.add_argument("--of", choices=SPECIFICATIONS, help="one specification only")
    given = options.parse_args()
    sys.exit(1 if report(given.build, given.all, given.of) else 0)
