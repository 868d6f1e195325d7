"""The example in torch trains, crashes, goes on from its checkpoint, and reports all of it. Skipped where there is no torch."""

import importlib.util
import subprocess
import sys
import unittest

from daemon_under_test import SOURCE, EndToEnd, metric, wait_until


@unittest.skipUnless(importlib.util.find_spec("torch"), "no torch: apt-get install python3-torch")
class TorchExampleTest(EndToEnd):
    def train(self, daemon, *flags):
        command = [sys.executable, SOURCE / "client/examples/train_lm.py", "--address", daemon.grpc, "--run-id", "r"]
        command += ["--text", SOURCE, "--steps", "600", "--batch", "64", "--save", self.folder / "checkpoint"]
        command += ["--save-every", "200", "--eval-every", "200", *flags]
        return subprocess.run(command, capture_output=True, text=True, timeout=100)

    def test_the_example_reports_its_run_through_a_crash_and_a_resume(self):
        daemon = self.daemon().start()
        self.assertEqual(self.train(daemon, "--crash-at", "390").returncode, 3)
        before = int(daemon.run("train_lm_torch", "r")["run"]["step"])
        resumed = self.train(daemon, "--resume")
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertIn("dropped 0,", resumed.stdout)
        run = wait_until(
            lambda: (r := daemon.run("train_lm_torch", "r"))["run"]["state"] == "COMPLETED" and r, 5, "the end of the run"
        )
        held = metric(run, "train/loss")
        self.assertEqual(held["last_step"], 600)
        self.assertLessEqual(held["points"], 120)
        self.assertGreaterEqual(held["points"], 115)  # See without_rewound_bin.
        self.assertLess(held["last_value"], 3)
        self.assertEqual(int(run["run"].get("rewinds", 0)), 1 if before > 200 else 0)


if __name__ == "__main__":
    unittest.main()
