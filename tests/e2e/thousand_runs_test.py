"""A thousand runs of a thousand points: imported from run files, listed, scraped, and the same again after a restart.

The curves are SYNTHETIC (a power law with noise): what is tested here is how the daemon bears their number, not its forecasts."""

import json
import math
import random
import subprocess
import time
import unittest

from daemon_under_test import BIN, EndToEnd, metric, wait_until

RUNS = 1000
POINTS = 1000
STEPS_PER_POINT = 10

# Seconds; several times what a quiet two-core machine needs, so that a busy one passes and a quadratic cost does not.
IMPORT_LIMIT = 60
RESTART_LIMIT = 30
FORECASTS_LIMIT = 40
SCRAPE_LIMIT = 3


def synthetic_run(index):
    """The lines of a run file. Every tenth run is still under way."""
    noise = random.Random(index)
    floor, drop, exponent = 1.5 + index / RUNS, 2 + noise.random(), 0.3 + 0.2 * noise.random()
    steps = [STEPS_PER_POINT * (i + 1) for i in range(POINTS)]
    losses = [round(floor + drop * math.pow(step, -exponent) + noise.gauss(0, 0.01), 5) for step in steps]
    under_way = index % 10 == 0
    run = {
        "project": "synthetic",
        "runId": f"run_{index:04}",
        "family": f"synthetic/{index % 20}",
        "totalSteps": steps[-1] * (2 if under_way else 1),
        "schedule": {"peakLr": 0.001, "warmupSteps": 100, "decay": "NONE"},
    }
    lines = [{"run": run}, {"points": {"metric": "train/loss", "step": steps, "value": losses}}]
    if not under_way:
        lines.append({"end": {"state": "COMPLETED"}})
    return lines


class ThousandRunsTest(EndToEnd):
    def timed(self, what, limit, action):
        started = time.monotonic()
        result = action()
        took = time.monotonic() - started
        print(f"{what}: {took:.2f} s")
        self.assertLess(took, limit, what)
        return result

    def settled(self, daemon):
        """All runs, once each one's forecast has seen its newest point."""

        def look():
            runs = daemon.runs()
            done = len(runs) == RUNS and all(r.get("forecast", {}).get("step") == r["step"] for r in runs)
            return done and runs

        return wait_until(look, FORECASTS_LIMIT, "the forecasts of all runs")

    @staticmethod
    def without_leaning(runs):
        """What a live run's forecast leans on depends on how many of its project had finished when it was last made."""
        return [{k: v for k, v in r.items() if k != "forecast" or r["state"] != "RUNNING"} for r in runs]

    def check_scrape(self, daemon):
        text = self.timed("scrape", SCRAPE_LIMIT, lambda: daemon.text("/metrics"))
        self.assertEqual(text.count("\ncurvecast_run_loss{"), RUNS)
        self.assertIn('curvecast_runs{state="completed"} 900\n', text)
        self.assertIn('curvecast_runs{state="running"} 100\n', text)
        return sorted(line for line in text.splitlines() if line.startswith("curvecast_run_"))

    def test_they_are_imported_served_scraped_and_found_again_after_a_restart(self):
        files = self.folder / "files"
        files.mkdir()
        for index in range(RUNS):
            text = "".join(json.dumps(line) + "\n" for line in synthetic_run(index))
            (files / f"run_{index:04}.jsonl").write_text(text)
        daemon = self.daemon().start()
        command = [BIN / "curvecast", "import", files, "--address", daemon.grpc]
        self.timed("import", IMPORT_LIMIT, lambda: subprocess.run(command, check=True, timeout=IMPORT_LIMIT))

        runs = self.timed("forecasts", FORECASTS_LIMIT, lambda: self.settled(daemon))
        self.assertEqual([r["run"]["runId"] for r in runs], [f"run_{i:04}" for i in range(RUNS)])
        series = self.check_scrape(daemon)
        one = daemon.run("synthetic", "run_0123")
        self.assertEqual(metric(one, "train/loss")["points"], POINTS)
        losses = synthetic_run(123)[1]["points"]["value"]
        self.check_curve_is(
            daemon, "synthetic", "run_0123", {STEPS_PER_POINT * (i + 1): v for i, v in enumerate(losses)}
        )

        self.assertEqual(daemon.stop(), 0)
        seen = self.timed("restart", RESTART_LIMIT, lambda: self.restart(daemon))
        self.assertIn(503, seen, "not ready while the journal is replayed")
        self.assertEqual(self.without_leaning(self.settled(daemon)), self.without_leaning(runs))
        # A forecast's path is not in the journal: it is there again once the run has been fitted again.
        wait_until(lambda: daemon.run("synthetic", "run_0123") == one, FORECASTS_LIMIT, "the same answer as before")
        # The series of live forecasts likewise: their number is the same, and all others are, to the last digit.
        again = self.check_scrape(daemon)
        self.assertEqual(len(again), len(series))
        of_live = ("curvecast_run_forecast", "curvecast_run_expected")
        self.assertEqual([s for s in again if not s.startswith(of_live)], [s for s in series if not s.startswith(of_live)])

    def restart(self, daemon):
        """Every answer of /-/ready from the start of the process to the first 200."""
        daemon.spawn()
        seen = set()
        deadline = time.monotonic() + RESTART_LIMIT
        while 200 not in seen and time.monotonic() < deadline:
            seen.add(daemon.readiness())
        return seen


if __name__ == "__main__":
    unittest.main()
