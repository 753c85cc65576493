#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`hermod bench compare`, `hermod bench scale` and bench/run.sh: what they count, print and write,
and their exit statuses. No figure is a matter of this test but those that no machine can reach."""
import json
import os
from pathlib import Path

from processes import HERMOD, ProcessTest, main, require

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "bench" / "run.sh"
TABLES = ROOT / "bench" / "tables.py"
OWN = f"{HERMOD} serve -p {{port}} --coap-port {{port}}"
NULL = f"{HERMOD} bench null -p {{port}}"
SHORT = ("--repeat", "2", "--warmup", "0", "--messages", "50")
FLOW = ("fan-out", "--subscribers", "5", "-W", "8", *SHORT)
BUSY_S = 120  # a sanitizer on a busy machine


class Bench(ProcessTest):
    def bench(self, status, *words):
        """Runs `hermod bench` to this exit status; returns its output and its messages."""
        process = self.start(HERMOD, "bench", *words)
        self.assertEqual(process.wait(BUSY_S), status, process.text() + process.text("stderr"))
        return process.text(), process.text("stderr")

    def test_compare_judges_by_the_best_rival(self):
        servers = ("--a", OWN, "--a-name", "own", "--rival", f"one={OWN}", "--rival", f"two={OWN}",
                   "--beside", f"aside={NULL}", "--ceiling", f"null={NULL}")
        out, said = self.bench(0, "compare", *FLOW, *servers, "--json",
                               "--at-least", "0.000001", "--at-least-of-ceiling", "0.000001")
        found = json.loads(out)
        self.assertEqual([(one["name"], one["role"]) for one in found["contenders"]],
                         [("own", "own"), ("one", "rival"), ("two", "rival"), ("aside", "beside"),
                          ("null", "ceiling")])
        for one in found["contenders"]:
            self.assertEqual(len(one["report"]["runs"]), 2)
            for run in one["report"]["runs"]:
                self.assertEqual(run["counts"]["received"], 250)
                self.assertEqual(run["counts"]["lost"] + run["counts"]["reordered"], 0)
        rivals = {one["name"]: one["figure"]["median"] for one in found["contenders"][1:3]}
        self.assertEqual(found["best_rival"], max(rivals, key=rivals.get))
        self.assertAlmostEqual(
            found["ratio"], found["contenders"][0]["figure"]["median"] / max(rivals.values()))
        self.assertTrue(found["reached"])
        self.assertIn("ratio", said)
        self.assertIn("reached", said)

    def test_compare_misses_what_nobody_reaches(self):
        for bound in (("--rival", f"other={OWN}", "--at-least", "1e9"),
                      ("--ceiling", f"null={NULL}", "--at-least-of-ceiling", "1e9"),
                      ("--ceiling", f"null={NULL}", "--p99-at-most-of-ceiling", "1e-9")):
            out, _ = self.bench(3, "compare", *FLOW, "--a", OWN, *bound)
            self.assertIn("MISSED", out)

    def test_compare_refuses_what_has_no_sense(self):
        for words, why in (((), "--at-least needs a --rival"),
                           (("--rival", "nameless"), "not of the form NAME=VALUE"),
                           (("--rival", f"other={OWN}", "--server-url", "x=mqtt://127.0.0.1"),
                            "no server is called 'x'"),
                           (("--rival", "other=false"), "other: 'false' has ended")):
            _, said = self.bench(1, "compare", *FLOW, "--a", OWN, "--at-least", "1", *words)
            self.assertIn(why, said)

    def test_scale_compares_two_loads(self):
        load = ("scale", *FLOW, "--server", OWN, "--then", "--subscribers 20 -W 4")
        out, _ = self.bench(0, *load, "--json", "--cost-at-most", "1e9", "--at-least", "1e-9")
        found = json.loads(out)
        self.assertEqual([one["report"]["options"]["subscribers"] for one in found["contenders"]],
                         [5, 20])
        self.assertEqual([one["report"]["options"]["window"] for one in found["contenders"]],
                         [8, 4])
        self.assertEqual([one["report"]["runs"][1]["counts"]["received"]
                          for one in found["contenders"]], [250, 1000])
        first, then = (one["figure"]["median"] for one in found["contenders"])
        self.assertAlmostEqual(found["cost"], first / then)
        self.bench(3, *load, "--cost-at-most", "1e-9")
        self.bench(3, *load, "--at-least", "1e9")
        for then, why in (("--bogus", "--bogus"), ("pairs", "keeps the scenario")):
            _, said = self.bench(1, "scale", *FLOW, "--server", OWN, "--then", then)
            self.assertIn(why, said)

    def test_lasting_sessions_lose_nothing_at_full_speed(self):
        store = f"{ROOT / 'bench' / 'store.sh'} {HERMOD} {{port}}"
        # More is under way than the broker keeps in memory for one subscriber.
        load = ("--publishers", "50", "-W", "64", "-q", "1", "--inflight", "64", "--lasting")
        for version in ("3.1.1", "5"):
            out, _ = self.bench(0, "fan-in", *load, "--messages", "2000", "--mqtt", version,
                                "--drain", "60", "--spawn", store, "--json")
            run, = json.loads(out)["runs"]
            self.assertEqual(run["counts"]["received"], 100_000)
            self.assertEqual(run["counts"]["lost"] + run["counts"]["reordered"], 0)

    def run_rows(self, status, *words, **environment):
        """Runs bench/run.sh with files in a directory of the test; returns its output."""
        process = self.start(RUN, "--quick", "--json", self.directory / "json", "--markdown",
                             self.directory / "tables.md", *words,
                             environment={"IDLE_CLIENTS": "50", **environment})
        self.assertEqual(process.wait(BUSY_S), status, process.text() + process.text("stderr"))
        return process.text()

    def row(self, name):
        return json.loads((self.directory / "json" / f"{name}.json").read_text())

    def test_rows_are_measured_and_put_in_tables(self):
        # What is wanted at full length may be missed in so short a run: rows without a bound.
        out = self.run_rows(0, "fan-in-q1-w16", "subscribers-10")
        tables = (self.directory / "tables.md").read_text()
        self.assertTrue(out.endswith(tables))
        found = self.row("fan-in-q1-w16")
        self.assertEqual([one["name"] for one in found["contenders"]],
                         ["Hermod", "mosquitto, no queue limit",
                          "mosquitto, no queue limit, nodelay", "null server"])
        for one in (*found["contenders"], *self.row("subscribers-10")["contenders"]):
            run, = one["report"]["runs"]
            self.assertGreater(run["operations"], 0)
            self.assertEqual(run["counts"]["lost"] + run["counts"]["reordered"], 0)
            self.assertIn(f"{one['name']}", tables)
        self.assertEqual(self.row("subscribers-10")["kind"], "scale")
        for row in ("fan-in-q1-w16", "subscribers-10"):
            self.assertIn(f"| `{row}` |", tables)
        self.fill_a_page()

    def fill_a_page(self):
        page = self.directory / "page.md"
        places = ("Before\n<!-- bench: subscribers -->\nold\n<!-- end -->\n"
                  "Between\n<!-- bench: limits coap -->\nkept\n<!-- end -->\nAfter\n")
        page.write_text(places)
        self.finish(TABLES, "--fill", page, self.directory / "json")
        filled = page.read_text()
        self.assertRegex(filled, r"(?s)\ABefore\n<!-- bench: subscribers -->\n.*`subscribers-10`"
                                 r".*\n<!-- end -->\nBetween\n")
        self.assertTrue(filled.endswith(places[places.index("Between"):]))
        self.assertNotIn("old", filled)
        self.assertNotIn("fan-in", filled)

    def test_a_missed_row_decides_the_exit_status(self):
        twin = self.directory / "mosquitto"  # as fast as Hermod: 30 times are out of reach
        twin.symlink_to(HERMOD)
        out = self.run_rows(1, "fan-out-q0", MOSQUITTO=str(twin))
        self.assertIn("1 of 1 rows missed", out)
        self.assertIn("**short** of wanted 30 x", (self.directory / "tables.md").read_text())
        self.assertFalse(self.row("fan-out-q0")["reached"])

    def test_a_row_that_cannot_be_measured_stops_no_other(self):
        out = self.run_rows(2, "fan-out-q0", "subscribers-10", MOSQUITTO="false")
        self.assertIn("1 of 2 rows could not be measured", out)
        self.assertFalse((self.directory / "json" / "fan-out-q0.json").exists())
        self.assertIn("| `subscribers-10` |", (self.directory / "tables.md").read_text())

    def test_every_set_lists_its_rows(self):
        def listed(*words, status=0):
            process = self.start(RUN, "--list", *words)
            self.assertEqual(process.wait(), status, process.text("stderr"))
            return process.text().split()

        cells = [f"{shape}-q{qos}" for shape in ("fan-in", "fan-out", "pairs") for qos in range(3)]
        self.assertEqual(listed("table"), cells)
        self.assertEqual(listed(), listed("gate"))
        self.assertEqual(listed("gate"), listed("table", "limits", "scaling", "coap", "durable"))
        everything = listed("all")
        self.assertEqual(len(everything), len(set(everything)))
        self.assertLess(set(listed("gate")), set(everything))
        self.assertEqual(listed("fan-in-q3", status=64), [])


if __name__ == "__main__":
    require("mosquitto")
    os.environ.pop("MOSQUITTO", None)
    main()
