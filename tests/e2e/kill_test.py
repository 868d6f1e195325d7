"""kill -9 in the middle of training: no acknowledged point is lost, and the job hardly notices."""

import unittest

from daemon_under_test import EndToEnd, metric, read_run_file, wait_until


class KillTest(EndToEnd):
    def test_a_killed_daemon_loses_no_acknowledged_point_and_the_job_goes_on(self):
        daemon = self.daemon().start()
        run_file = self.folder / "run.jsonl"
        job = self.job(daemon, "--steps", "8000", "--run-id", "r", "--write-run-file", run_file)
        for killed_at in (0.1, 0.3):
            wait_until(lambda: daemon.progress("train_lm", "r") > killed_at, 30, f"progress of {killed_at}")
            daemon.kill()
            self.assertIsNone(job.process.poll(), "the job is still at work")
            daemon.start()
            self.assertGreater(daemon.progress("train_lm", "r"), killed_at, "what was shown is there again")
        self.assertEqual(job.wait(), 0)

        logged, acknowledged, dropped, reconnects = job.stats()
        self.assertEqual((acknowledged, dropped), (logged, 0))
        self.assertGreaterEqual(reconnects, 1)
        run = wait_until(
            lambda: (r := daemon.run("train_lm", "r")) and r["run"]["state"] == "COMPLETED" and r, 5, "the end of the run"
        )
        on_file = read_run_file(run_file)
        for name, points in on_file.items():
            self.assertEqual(metric(run, name)["points"], len(points), name)
        self.assertEqual(sum(len(p) for p in on_file.values()), logged)
        self.check_curve_is(daemon, "train_lm", "r", on_file["train/loss"])
        self.assertEqual(int(run["run"].get("rewinds", 0)), 0, "a reconnecting job has not gone back")
        complaints = job.errors.read_text().splitlines()
        self.assertLessEqual(len(complaints), 4, "at most that it went, and that it is back, for each time")


if __name__ == "__main__":
    unittest.main()
