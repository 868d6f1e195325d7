"""A job that crashes and goes on from an earlier checkpoint shows one clean curve."""

import unittest

from daemon_under_test import EndToEnd, metric, read_run_file, wait_until


class ResumeTest(EndToEnd):
    def test_a_resumed_run_has_each_step_once_and_its_rewind_is_counted(self):
        daemon = self.daemon().start()
        run_file = self.folder / "run.jsonl"
        flags = ["--steps", "5000", "--run-id", "r", "--write-run-file", run_file]
        flags += ["--save", self.folder / "checkpoint", "--save-every", "2000"]
        crashed = self.job(daemon, *flags, "--crash-at", "3900")
        self.assertEqual(crashed.wait(), 3)
        before = daemon.run("train_lm", "r")
        self.assertGreater(int(before["run"]["step"]), 2005, "the daemon saw steps that will be taken again")
        self.assertEqual(before["run"]["state"], "RUNNING")

        resumed = self.job(daemon, *flags, "--resume")
        self.assertEqual(resumed.wait(), 0)
        run = wait_until(
            lambda: (r := daemon.run("train_lm", "r")) and r["run"]["state"] == "COMPLETED" and r, 5, "the end of the run"
        )
        self.assertEqual(int(run["run"]["rewinds"]), 1)
        self.assertEqual([int(s) for s in run["rewoundToSteps"]], [2005])
        self.assertEqual(metric(run, "train/loss")["last_step"], 5000)
        on_file = read_run_file(run_file)["train/loss"]
        self.assertEqual(sorted(on_file), list(range(5, 5001, 5)))
        held = self.without_rewound_bin(daemon, "train_lm", "r", on_file, 2005)
        self.check_curve_is(daemon, "train_lm", "r", held)
        (branch,) = daemon.json("/api/v1/runs/train_lm/r/curve")["superseded"]
        self.assertEqual(int(branch["rewoundToStep"]), 2005)
        self.assertGreater(max(branch["step"]), 2005)


if __name__ == "__main__":
    unittest.main()
