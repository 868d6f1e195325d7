"""Real training jobs that are broken on purpose raise the right flag; those that are not raise none."""

import time
import unittest

import curvecast
from daemon_under_test import EndToEnd, wait_until

STEPS = ["--steps", "3000", "--seed", "1"]
GRAVE = ("WARNING", "CRITICAL")


class WatchTest(EndToEnd):
    def flags(self, daemon, run_id, project="train_lm"):
        answer = daemon.json(f"/api/v1/runs/{project}/{run_id}/flags").get("flags", [])
        return [row["flag"] for row in answer]

    def finish(self, daemon, *run_ids):
        """The grave flags of runs, once they are over: kind, severity and where it began."""
        for run_id in run_ids:
            wait_until(lambda: daemon.run("train_lm", run_id)["run"]["state"] == "COMPLETED", 20, f"the end of {run_id}")
        return {
            run_id: [
                (f["kind"], f["severity"], int(f["beganStep"]))
                for f in self.flags(daemon, run_id)
                if f["severity"] in GRAVE
            ]
            for run_id in run_ids
        }

    def test_each_break_of_the_example_raises_its_flag_where_it_began(self):
        daemon = self.daemon().start()
        breaks = {
            "rate": ["--break-rate", "1500:10"],
            "labels": ["--break-labels", "1500"],
            "nan": ["--break-nan", "1500"],
        }
        jobs = [self.job(daemon, *STEPS, "--run-id", run_id, *flags) for run_id, flags in breaks.items()]
        for job in jobs:
            self.assertEqual(job.wait(), 0)
        flags = self.finish(daemon, *breaks)

        self.assertIn(("LR_MISMATCH", "WARNING", 1500), flags["rate"], "the logged rate left the declared schedule")
        kinds = [kind for kind, _, _ in flags["labels"]]
        self.assertIn("DIVERGENCE", kinds, "shuffled answers cannot be learned")
        self.assertEqual(kinds.count("DIVERGENCE"), 1, "and that is said once")
        self.assertTrue(all(1500 <= began <= 1520 for _, _, began in flags["labels"]), flags["labels"])
        self.assertEqual([flag[:2] for flag in flags["nan"]], [("NON_FINITE", "CRITICAL")])
        # One weight is broken at 1500: the first batch that uses it shows it, and the batches are of this repository's text.
        self.assertTrue(1500 <= flags["nan"][0][2] <= 1520, flags["nan"])

    def test_a_healthy_run_and_one_that_resumes_from_a_checkpoint_raise_none(self):
        daemon = self.daemon().start()
        healthy = self.job(daemon, *STEPS, "--run-id", "healthy")
        resumes = [*STEPS, "--run-id", "resumed", "--save", self.folder / "checkpoint", "--save-every", "1000"]
        self.assertEqual(self.job(daemon, *resumes, "--crash-at", "1900").wait(), 3)
        self.assertEqual(self.job(daemon, *resumes, "--resume").wait(), 0)
        self.assertEqual(healthy.wait(), 0)
        self.assertEqual(self.finish(daemon, "healthy", "resumed"), {"healthy": [], "resumed": []})
        self.assertEqual(int(daemon.run("train_lm", "resumed")["run"]["rewinds"]), 1)

    def test_an_evaluation_of_forty_minutes_that_the_job_declares_is_no_silence(self):
        # Two seconds of silence are too many here, and the evaluation takes four.
        daemon = self.daemon("--set", "watch.silent_after_seconds=1").start()
        reporter = curvecast.Reporter("p", "r", total_steps=1000, address=daemon.grpc, flush_seconds=0.02)
        for step in range(1, 101):
            reporter.log(step, {"train/loss": 2 + 1 / step})
            time.sleep(0.01)
        with reporter.phase("eval", 2400):
            wait_until(lambda: daemon.run("p", "r")["run"].get("phase"), 5, "the phase")
            time.sleep(4)
        reporter.log(101, {"train/loss": 2.0})
        wait_until(lambda: daemon.run("p", "r")["run"]["step"] == "101", 5, "the point after it")
        self.assertEqual([f["kind"] for f in self.flags(daemon, "r", "p") if f["severity"] in GRAVE], [])
        reporter.finish()


if __name__ == "__main__":
    unittest.main()
