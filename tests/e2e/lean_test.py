"""A run leans on the finished runs of its project, before and after a restart. Its curves are made up: the truth must be known."""

import json
import math
import subprocess
import unittest

from daemon_under_test import BIN, EndToEnd, wait_until

STEPS = 2000


def loss(step, level):
    return level * (2 + 0.5 * (step / STEPS + 0.01) ** -0.3 + 0.002 * math.sin(step))


class LeanTest(EndToEnd):
    def write(self, run_id, family, level, newest):
        """A run file; whole if it goes up to STEPS."""
        steps = list(range(10, newest + 1, 10))
        schedule = {"peakLr": 0.01, "finalLr": 0.001, "warmupSteps": "20", "decay": "COSINE"}
        run = {"project": "p", "runId": run_id, "family": family, "totalSteps": str(STEPS), "schedule": schedule}
        points = {"metric": "train/loss", "step": [str(s) for s in steps], "value": [loss(s, level) for s in steps]}
        lines = [{"run": run}, {"points": points}]
        if newest == STEPS:
            lines.append({"end": {"state": "COMPLETED"}})
        path = self.folder / f"{run_id}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    def curvecast(self, daemon, *command):
        done = subprocess.run([BIN / "curvecast", "--address", daemon.grpc, *command], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def forecast(self, daemon):
        return json.loads(self.curvecast(daemon, "show", "p/new", "-o", "json"))["run"].get("forecast", {})

    def leaning(self, daemon, relatives):
        """The forecast of p/new once it leans on that many and has its path, which the journal does not keep."""
        return wait_until(
            lambda: (f := self.forecast(daemon)) and f.get("relatives", 0) == relatives and "path" in f and f,
            40,
            f"a forecast that leans on {relatives} runs",
        )

    def test_a_run_leans_on_finished_ones_and_forecasts_the_same_after_a_restart(self):
        daemon = self.daemon().start()
        siblings = [self.write(f"s{i}", "p/f", level, STEPS) for i, level in enumerate((1, 1.02, 0.98))]
        cousin = self.write("cousin", "p/g", 1.1, STEPS)
        self.curvecast(daemon, "import", *siblings, cousin)
        self.curvecast(daemon, "import", self.write("new", "p/f", 1.01, 500))

        before = self.leaning(daemon, 4)
        self.assertEqual(before["siblings"], 3)
        truth = loss(STEPS, 1.01)
        self.assertLess(abs(before["quantiles"]["0.5"] / truth - 1), 0.01)
        said = "It leans on 4 finished runs of the project, 3 of its family."
        self.assertIn(said, self.curvecast(daemon, "show", "p/new"))
        self.assertIn(said, self.curvecast(daemon, "forecast", "p/new"))
        asked = json.loads(self.curvecast(daemon, "forecast", "p/new", "--decay", "linear", "-o", "json"))
        self.assertEqual(asked["declared"]["forecast"], before)
        self.assertEqual(asked["whatIf"]["forecast"]["relatives"], 4)
        self.assertEqual(daemon.run("p", "new")["run"]["forecast"]["relatives"], 4, "HTTP says the same")

        daemon.stop()
        daemon.start()
        self.assertEqual(self.leaning(daemon, 4), before)

        # A sibling whose job comes back is no finished run until it ends again.
        self.curvecast(daemon, "import", self.write("s0", "p/f", 1, 1000))
        self.assertEqual(self.leaning(daemon, 3)["siblings"], 2)


if __name__ == "__main__":
    unittest.main()
