"""Real training runs, recorded by other people, through the backtest and through a daemon. CURVECAST_RUNS names their folder, one
subfolder a source; without it this is skipped.

The shipped prior has seen most of them, so that nothing here says how good a forecast is: it says that none got worse, that every
answer is a number, and that the whole path bears what real runs hold."""

import collections
import json
import math
import os
import pathlib
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


def backtest(*sources):
    command = [harness.BIN / "curvecast", "backtest", "--at", "0.2,0.5,0.8", "-o", "json"]
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
