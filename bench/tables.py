#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tables in Markdown from what bench/run.sh measured, one JSON file a row.

tables.py DIRECTORY [ROW...]    prints them; without rows: all files, in the order of their names
tables.py --fill PAGE DIRECTORY puts them into a page, between <!-- bench: SET... --> and
                                <!-- end -->; a place none of whose rows was measured stays as it is
"""
import json
import re
import subprocess
import sys
from pathlib import Path

BUSY = 0.9  # a server below that was not under pressure
SHAPES = ("fan-in", "fan-out", "pairs")


def short(value):
    """1.23 M, 45.6 k, 789."""
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def milliseconds(contender):
    if "p99_us" not in contender:
        return "-"
    value = contender["p99_us"]["median"] / 1000
    return f"{value:.3g} ms"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines) + "\n"


def total(contender, what):
    return sum(run["counts"][what] for run in contender["report"]["runs"])


def faults(contender):
    """Everything that takes from the worth of a figure."""
    runs = contender["report"]["runs"]
    found = [f"{total(contender, what)} {what}" for what in ("lost", "duplicated", "reordered")
             if total(contender, what)]
    if total(contender, "stalls"):
        found.append(f"{total(contender, 'stalls')} windows forgiven")
    if contender["runs_not_busy"]:
        found.append(f"under {BUSY} cores in {contender['runs_not_busy']} of {len(runs)} runs")
    if any(run["generator_limited"] for run in runs):
        found.append("the generator was the limit")
    return ", ".join(found)


def verdict(judgement):
    bound = (f"at least {judgement['at_least']:g}" if "at_least" in judgement
             else f"at most {judgement['at_most']:g}")
    return (f"{judgement['what'].replace('_', ' ')} {judgement['value']:.3g}, wanted {bound}: "
            + ("reached" if judgement["reached"] else "**short**"))


def verdicts(contest):
    return "; ".join(map(verdict, contest["judgements"])) or "-"


def machine(contests):
    """Where it was measured, and with which versions."""
    report = next(iter(contests.values()))["contenders"][0]["report"]
    place = report["machine"]
    versions = sorted({one["report"]["server"] for contest in contests.values()
                       for one in contest["contenders"] if one["report"]["server"]})
    return (f"{place['processor']}, {place['cores']} cores, {place['kernel']}; Hermod "
            f"{report['hermod_version']}. Servers: {', '.join(versions)}.\n\n")


def matrix(contests):
    """Shapes by QoS: times the best mosquitto, and messages per processor second."""
    def cell(name):
        contest = contests.get(name)
        if not contest or "ratio" not in contest:
            return "-"
        own = contest["contenders"][0]
        text = f"{contest['ratio']:.1f} x ({short(own['figure']['median'])})"
        if own["utilisation"]["median"] < BUSY:
            text += f" at {own['utilisation']['median']:.2f} cores"
        wanted = [j for j in contest["judgements"] if j["what"] == "ratio"]
        if not wanted:
            return text
        return text + (", " if wanted[0]["reached"] else ", **short** of ") + (
            f"wanted {wanted[0]['at_least']:g} x")

    if not any(f"{shape}-q{qos}" in contests for shape in SHAPES for qos in range(3)):
        return ""
    return table(["", "QoS 0", "QoS 1", "QoS 2"],
                 [[shape, *(cell(f"{shape}-q{qos}") for qos in range(3))] for shape in SHAPES])


def versus(contest, contender):
    """The own figure beside another's."""
    own = contest["contenders"][0]["figure"]["median"]
    other = contender["figure"]["median"]
    if contender is contest["contenders"][0] or not own or not other:
        return "-"
    times = other / own if contest["figure"].startswith("octets") else own / other
    return f"{times:.3g} x"


def servers(contests):
    """A line for each server of each comparison."""
    rows = []
    for name, contest in contests.items():
        for index, one in enumerate(contest["contenders"]):
            figure = one["figure"]
            rows.append([
                f"`{name}`" if index == 0 else "", one["name"],
                f"{short(figure['median'])} ({short(figure['min'])} to {short(figure['max'])})",
                f"{one['utilisation']['median']:.2f}", milliseconds(one), versus(contest, one),
                verdicts(contest) if index == 0 else "-", faults(one) or "-"])
    return table(["Row", "Server", "Per CPU second, or octets (range)", "Cores busy", "p99",
                  "Hermod is", "Verdict", "Remarks"], rows)


def scaling(contests):
    rows = []
    for name, contest in contests.items():
        first, then = contest["contenders"]
        remarks = "; ".join(f"{one['name']}: {faults(one)}" for one in (first, then) if faults(one))
        rows.append([f"`{name}`", *(
            f"{one['name']}: {short(one['figure']['median'])}, p99 {milliseconds(one)}, "
            f"{one['utilisation']['median']:.2f} cores" for one in (first, then)),
            f"{contest['cost']:.3g} x", verdicts(contest), remarks or "-"])
    return table(["Row", "First", "Then", "Cost", "Verdict", "Remarks"], rows)


def pages(contests):
    """All tables that these rows fill."""
    kinds = {kind: {name: contest for name, contest in contests.items() if contest["kind"] == kind}
             for kind in ("compare", "scale")}
    text = machine(contests) + matrix(contests)
    if kinds["compare"]:
        text += servers(kinds["compare"])
    if kinds["scale"]:
        text += scaling(kinds["scale"])
    return text.rstrip() + "\n"


def in_order(path):
    """Numbers of a name by their value: w16 before w1024."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.stem)]


def read(files):
    return {file.stem: json.loads(file.read_text()) for file in files}


def rows_of(sets):
    script = Path(__file__).with_name("run.sh")
    return subprocess.run([script, "--list", *sets], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.split()


def fill(page, directory):
    def place(match):
        files = [Path(directory) / f"{row}.json" for row in rows_of(match["sets"].split())]
        contests = read(file for file in files if file.exists())
        if not contests:
            return match[0]
        return f"{match['begin']}\n{pages(contests)}{match['end']}"

    text, places = re.subn(
        r"(?P<begin><!-- bench: (?P<sets>.*?) -->)\n.*?(?P<end><!-- end -->)", place,
        Path(page).read_text(), flags=re.S)
    if not places:
        sys.exit(f"tables: {page} has no place for tables: <!-- bench: SET... --> <!-- end -->")
    Path(page).write_text(text)


def main(directory, *names):
    files = ([Path(directory) / f"{name}.json" for name in names] or
             sorted(Path(directory).glob("*.json"), key=in_order))
    if missing := [file.stem for file in files if not file.exists()]:
        sys.exit(f"tables: not measured in {directory}: {' '.join(missing)}; "
                 "./dev bench ROW... measures rows")
    contests = read(files)
    if not contests:
        sys.exit(f"tables: there is nothing in {directory}")
    sys.stdout.write(pages(contests))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fill"] and len(sys.argv) == 4:
        fill(*sys.argv[2:])
    elif len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        main(*sys.argv[1:])
    else:
        sys.exit(__doc__)
