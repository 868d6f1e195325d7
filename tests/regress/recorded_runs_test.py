"""Real training runs, recorded by other people, through the backtest and through a daemon. CURVECAST_RUNS names their folder, one
subfolder a source; without it this is skipped.

The shipped prior has seen most of them, so that nothing here says how good a forecast is: it says that none got worse, that every
answer is a number, and that the whole path bears what real runs hold."""

import collections
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import daemon_under_test as harness  # noqa: E402

RUNS = os.environ.get("CURVECAST_RUNS")
LEVELS = ("0.05", "0.25", "0.5", "0.75", "0.95")

# Share of the answered ends that the 90 % interval must hold at 20, 50 and 80 %, source by source. Floors, not claims.
COVERAGE_FLOORS = {"marin": 0.85, "multipowerlaw": 0.85, "modded_nanogpt": 0.85, "nanochat": 0.8, "steplaw": 0.65}


# How much worse the median error over all runs may be with more siblings than with the best smaller number of them.
SIBLING_NOISE = 1.1


def backtest(*sources, history="none"):
    command = [harness.BIN / "curvecast", "backtest", "--at", "0.2,0.5,0.8", "--history", history, "-o", "json"]
    done = subprocess.run([*command, *(os.path.join(RUNS, s) for s in sources)], capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


@unittest.skipUnless(RUNS, "CURVECAST_RUNS names no folder of recorded runs")
class RecordedRunsTest(unittest.TestCase):
    def test_every_forecast_is_numbers_in_order_or_says_why_not(self):
        lines = [json.loads(line) for line in backtest("").splitlines()]
        self.assertGreater(len(lines), 1000)
        for line in lines:
            forecast = line["forecast"]
            if forecast["status"] == "OK":
                values = [forecast["quantiles"][level] for level in LEVELS]
                self.assertTrue(all(math.isfinite(v) for v in values), line)
                self.assertEqual(values, sorted(values), line)
            else:
                self.assertEqual(forecast["status"], "NOT_YET")
                self.assertTrue(forecast["reason"], line)

    def test_intervals_hold_no_less_than_they_did(self):
        held = collections.defaultdict(list)
        for line in map(json.loads, backtest(*COVERAGE_FLOORS).splitlines()):
            quantiles = line["forecast"].get("quantiles")
            if quantiles:
                held[line["project"], line["fraction"]].append(quantiles["0.05"] <= float(line["actual"]) <= quantiles["0.95"])
        self.assertEqual(len(held), 3 * len(COVERAGE_FLOORS))
        for (source, fraction), hits in sorted(held.items()):
            share = sum(hits) / len(hits)
            print(f"{source:<16} at {fraction:.0%}: {share:.2f} of {len(hits)} ends held")
            self.assertGreaterEqual(share, COVERAGE_FLOORS[source], (source, fraction))

    def test_more_siblings_make_no_forecast_worse_by_more_than_noise(self):
        sources = [s for s in COVERAGE_FLOORS if len(list(pathlib.Path(RUNS, s).rglob("*.jsonl"))) >= 50]
        self.assertTrue(sources)
        best = {}
        for siblings in (0, 1, 3, 10, 30):
            errors = collections.defaultdict(list)
            for line in map(json.loads, backtest(*sources, history=f"family:{siblings}").splitlines()):
                quantiles = line["forecast"].get("quantiles")
                if quantiles:
                    errors[line["project"], line["fraction"]].append(abs(quantiles["0.5"] / float(line["actual"]) - 1))
            for key, of in sorted(errors.items()):
                median = statistics.median(of)
                print(f"{key[0]:<16} at {key[1]:.0%}, {siblings:>2} siblings: {100 * median:.3f} % of {len(of)}")
                with self.subTest(source=key, siblings=siblings):
                    self.assertLessEqual(median, SIBLING_NOISE * best.get(key, median))
                best[key] = min(median, best.get(key, median))

    def test_the_same_runs_give_the_same_bytes(self):
        self.assertEqual(backtest("multipowerlaw"), backtest("multipowerlaw"))

    def test_a_daemon_takes_all_of_them_and_finds_them_again(self):
        with tempfile.TemporaryDirectory() as folder:
            daemon = harness.Daemon(folder).start()
            done = subprocess.run(
                [harness.BIN / "curvecast", "import", RUNS, "--address", daemon.grpc], capture_output=True, timeout=300, check=False
            )
            self.assertEqual(done.returncode, 0, done.stderr.decode()[-2000:])
            before = {(r["run"]["project"], r["run"]["runId"]): (r.get("step"), str(r.get("value"))) for r in daemon.runs()}
            files = sum(1 for _ in pathlib.Path(RUNS).rglob("*.jsonl"))
            self.assertEqual(len(before), files)
            self.assertIn("curvecast_run_loss{", daemon.text("/metrics"))
            daemon.kill()
            daemon.start(60)
            after = {(r["run"]["project"], r["run"]["runId"]): (r.get("step"), str(r.get("value"))) for r in daemon.runs()}
            self.assertEqual(before, after)
            self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
