"""Raw points of runs that are over go by policy; what is shown of the runs stays, over restarts and kills. Runs leave a daemon as run files."""

import json
import math
import re
import subprocess
import unittest

from daemon_under_test import BIN, Daemon, EndToEnd, wait_until

STEPS = 6000
AT_ONCE = ("--set", "retention.raw_points_days=0.0000001", "--set", "retention.grace_hours=0")


def loss(step, level):
    return level * (2 + 0.5 * (step / STEPS + 0.01) ** -0.3 + 0.002 * math.sin(step))


class RetentionTest(EndToEnd):
    def write(self, run_id, level, newest=STEPS):
        steps = list(range(1, newest + 1))
        schedule = {"peakLr": 0.01, "finalLr": 0.001, "warmupSteps": "20", "decay": "COSINE"}
        run = {"project": "p", "runId": run_id, "family": "p/f", "totalSteps": str(STEPS), "schedule": schedule}
        lines = [{"run": run}]
        for metric, factor in (("train/loss", 1), ("eval/loss", 1.1)):
            values = [factor * loss(s, level) if s != 70 else "NaN" for s in steps]
            lines.append({"points": {"metric": metric, "step": [str(s) for s in steps], "value": values}})
        if newest == STEPS:
            lines.append({"end": {"state": "COMPLETED"}})
        path = self.folder / f"{run_id}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    def run_program(self, name, *arguments):
        done = subprocess.run([BIN / name, *arguments], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def curvecast(self, daemon, *command):
        return self.run_program("curvecast", "--address", daemon.grpc, *command)

    def compacted(self, daemon):
        return int(re.search(r"^curvecast_compacted_runs_total (\d+)", daemon.text("/metrics"), re.MULTILINE)[1])

    def curves(self, daemon, run):
        return [daemon.json(f"/api/v1/runs/p/{run}/curve?metric={m}") for m in ("train/loss", "eval/loss")]

    def answers(self, daemon, runs):
        """All that is said of finished runs, once they have been forecast after their end."""
        said = {}
        for run in runs:
            # The journal keeps forecasts without their paths.
            done = lambda a: "path" in (f := a["run"].get("forecast", {})) and f["progress"] == 1
            answer = wait_until(lambda: (a := daemon.run("p", run)) and done(a) and a, 40, "a forecast")
            said[run] = (answer, self.curves(daemon, run))
        return said

    def test_what_is_shown_of_a_run_stays_when_its_raw_points_go(self):
        daemon = self.daemon().start()
        runs = ["a", "b", "c"]
        self.curvecast(daemon, "import", *[self.write(run, 1 + 0.01 * i) for i, run in enumerate(runs)], self.write("live", 1, 3000))
        daemon.stop()
        daemon.start()
        before = self.answers(daemon, runs)
        live = self.curves(daemon, "live")
        daemon.stop()
        size = (daemon.store / "journal.db").stat().st_size
        daemon.flags = AT_ONCE
        daemon.start()
        wait_until(lambda: self.compacted(daemon) == 3, 30, "three runs to be compacted")
        self.assertEqual(self.answers(daemon, runs), before)
        self.assertEqual(self.curves(daemon, "live"), live)
        daemon.kill()
        daemon.start()
        self.assertEqual(self.answers(daemon, runs), before)
        self.assertEqual(self.curves(daemon, "live"), live)
        self.assertIn("the curve is kept from now on, and 36000 raw points were dropped", daemon.log.read_text())
        daemon.stop()
        doctor = self.run_program("curvecastd", "doctor", "--data-dir", daemon.store)
        self.assertIn("3 curves stand for 36000 points more", doctor)
        self.assertIn("in order", doctor)
        daemon.start()
        # Its pages are used again.
        self.curvecast(daemon, "import", *[self.write(f"more{i}", 1) for i in range(3)])
        daemon.stop()
        self.assertLess((daemon.store / "journal.db").stat().st_size, 1.3 * size)

    def test_a_compacted_run_is_taken_up_again(self):
        daemon = self.daemon(*AT_ONCE).start()
        file = self.write("a", 1)
        self.curvecast(daemon, "import", file)
        wait_until(lambda: self.compacted(daemon) == 1, 30, "the run to be compacted")
        daemon.kill()
        daemon.start()
        lines = file.read_text().splitlines()
        resumed = self.folder / "resumed.jsonl"
        points = {"metric": "train/loss", "step": [str(s) for s in range(3001, 4001)], "value": [1.5] * 1000}
        resumed.write_text("\n".join([lines[0], '{"rewind":{"fromStep":"3001"}}', json.dumps({"points": points})]) + "\n")
        self.curvecast(daemon, "import", resumed)
        run = daemon.run("p", "a")
        self.assertEqual(run["run"]["state"], "RUNNING")
        self.assertEqual(run["run"]["step"], "4000")
        curve = daemon.json("/api/v1/runs/p/a/curve")
        # Of what lay before the step, the bin that it lies in is lost: at most 1/32 of the run.
        self.assertGreater(sum(map(int, curve["count"])), 3000 + 1000 - STEPS / 32)

    def test_an_export_comes_back_as_the_same_run(self):
        daemon = self.daemon().start()
        self.curvecast(daemon, "import", self.write("a", 1), self.write("b", 1.1))
        before = self.answers(daemon, ["a", "b"])
        out = self.folder / "out"
        told = self.run_program("curvecastd", "export", out, "p/a", "--data-dir", daemon.store)
        self.assertIn("p/a, 12000 points", told)
        self.assertEqual([path.name for path in out.rglob("*.jsonl")], ["a.jsonl"])
        daemon.stop()
        self.run_program("curvecastd", "export", out, "--data-dir", daemon.store)  # Without a daemon; all of them.
        folder = self.folder / "fresh"
        folder.mkdir()
        fresh = Daemon(folder)
        self.addCleanup(lambda: fresh.process and fresh.kill())
        fresh.start()
        self.curvecast(fresh, "import", out)
        after = self.answers(fresh, ["a", "b"])
        for run in ("a", "b"):
            self.assertEqual(after[run][1], before[run][1], "the curves")
            for answer in (after, before):
                answer[run][0]["run"].pop("openedAt"), answer[run][0]["run"].pop("lastPointAt")
                answer[run][0].pop("history", None), answer[run][0].pop("flags", None)
            self.assertEqual(after[run][0]["run"]["forecast"], before[run][0]["run"]["forecast"])
            self.assertEqual(after[run][0]["metrics"], before[run][0]["metrics"])

    def test_an_export_of_a_compacted_run_says_what_it_is(self):
        daemon = self.daemon(*AT_ONCE).start()
        self.curvecast(daemon, "import", self.write("a", 1))
        wait_until(lambda: self.compacted(daemon) == 1, 30, "the run to be compacted")
        out = self.folder / "out"
        told = self.run_program("curvecastd", "export", out, "--data-dir", daemon.store)
        self.assertIn("the means that are kept of 12000 raw ones", told)
        self.assertEqual(json.loads((out / "p" / "a.jsonl").read_text().splitlines()[0])["run"]["labels"], {"points": "binned"})
        missing = subprocess.run([BIN / "curvecastd", "export", out, "p/nobody", "--data-dir", daemon.store], capture_output=True, text=True, timeout=60)
        self.assertEqual(missing.returncode, 1)
        self.assertIn('no run "nobody" in project "p"', missing.stderr)


if __name__ == "__main__":
    unittest.main()
