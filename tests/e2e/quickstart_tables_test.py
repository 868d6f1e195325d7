"""The tables of the quickstart (deploy/forecasts.py) say what the daemon and the job say."""

import re
import subprocess
import sys
import unittest

from daemon_under_test import BIN, SMALL_JOB, SOURCE, EndToEnd

FORECASTS = SOURCE / "deploy" / "forecasts.py"


class QuickstartTablesTest(EndToEnd):
    def test_forecasts_are_followed_to_the_end_and_set_beside_what_came(self):
        daemon = self.daemon().start()
        run_file = self.folder / "r.jsonl"
        job = self.job(daemon, "--steps", "4000", "--run-id", "r", "--write-run-file", run_file)
        follow = [sys.executable, FORECASTS, "follow", daemon.http, "train_lm/r"]
        followed = subprocess.run(follow, capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertEqual(job.wait(), 0)
        shares = [int(line.split("%")[0]) for line in followed.splitlines()[1:]]
        self.assertEqual(shares, sorted(set(shares)))
        self.assertGreaterEqual(len(shares), 5)
        self.assertEqual(shares[-1], 100)

        show = [sys.executable, FORECASTS, "table", daemon.http, run_file]
        row = subprocess.run(show, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()[2]
        reached = re.search(r"reached ([\d.]+)", job.output.read_text()).group(1)
        self.assertTrue(row.startswith("r "))
        self.assertAlmostEqual(float(row.split()[-1]), float(reached), delta=0.0006)
        forecasts = daemon.run("train_lm", "r")["history"]
        for mark in (0.5, 0.8):
            newest = [f for f in forecasts if f["progress"] <= mark and f["status"] == "OK"][-1]
            self.assertIn(f"{newest['quantiles']['0.5']:.3f}", row)


class TrainLmUsageTest(unittest.TestCase):
    def complaint(self, *flags):
        ended = subprocess.run([BIN / "train_lm", "--offline", *flags], capture_output=True, text=True, timeout=20)
        return ended.returncode, ended.stderr

    def test_a_mistake_is_named_with_its_flag_and_what_to_write(self):
        for flags, word in (
            (["--break-rate", "soon"], "such as 2000:100"),
            (["--save-every", "7"], "--report-every 5"),
            (["--resume"], "--save FILE"),
            (["--schedule", "sideways"], "--schedule"),
            (["--warmup", "5000"], "--warmup"),
        ):
            code, text = self.complaint(*SMALL_JOB, *flags)
            self.assertEqual(code, 2, flags)
            self.assertIn(word, text)
        code, text = self.complaint("--text", str(SOURCE / "CMakeLists.txt"))
        self.assertEqual(code, 1)
        self.assertIn("bytes of text are too few", text)


if __name__ == "__main__":
    unittest.main()
