"""The Python reporter against the real daemon."""

import math
import unittest

import curvecast
from daemon_under_test import EndToEnd, metric, wait_until


class PythonReporterTest(EndToEnd):
    def reporter(self, daemon, **options):
        schedule = {"peak_lr": 0.01, "final_lr": 0.001, "warmup_steps": 20, "decay": "COSINE"}
        return curvecast.Reporter(
            "p", "r", total_steps=3000, schedule=schedule, address=daemon.grpc, flush_seconds=0.02, **options
        )

    @staticmethod
    def loss(step):
        return 2 + 3 / math.sqrt(step)

    def test_points_outlive_a_killed_daemon_and_a_job_that_goes_back(self):
        daemon = self.daemon().start()
        reporter = self.reporter(daemon)
        for step in range(1, 1001):
            reporter.log(step, {"train/loss": self.loss(step), "lr": 0.01})
        wait_until(lambda: daemon.progress("p", "r") > 0, 10, "a first point")
        daemon.kill()
        for step in range(1001, 2001):
            reporter.log(step, {"train/loss": self.loss(step), "lr": 0.01})
        daemon.start()
        for step in range(1501, 3001):  # From a checkpoint at 1500.
            reporter.log(step, {"train/loss": self.loss(step), "lr": 0.01})
        self.assertTrue(reporter.finish())
        stats = reporter.stats()
        self.assertEqual((stats.logged, stats.acknowledged, stats.dropped), (7000, 7000, 0))

        run = wait_until(lambda: (r := daemon.run("p", "r"))["run"]["state"] == "COMPLETED" and r, 5, "the end")
        self.assertEqual([int(s) for s in run["rewoundToSteps"]], [1501])
        held = self.without_rewound_bin(daemon, "p", "r", {s: self.loss(s) for s in range(1, 3001)}, 1501)
        self.check_curve_is(daemon, "p", "r", held)

    def test_what_is_not_a_number_arrives_as_news(self):
        daemon = self.daemon().start()
        with self.reporter(daemon) as reporter:
            for step in range(1, 101):
                reporter.log(step, {"train/loss": self.loss(step) if step < 90 else math.nan})
        run = wait_until(lambda: (r := daemon.run("p", "r"))["run"]["state"] == "COMPLETED" and r, 5, "the end")
        held = metric(run, "train/loss")
        self.assertEqual((held["points"], held["non_finite"]), (89, 11))
        self.assertTrue(math.isnan(held["last_value"]))

    def test_an_impossible_run_is_refused_and_training_never_knows(self):
        daemon = self.daemon().start()
        reporter = curvecast.Reporter("no spaces allowed", "r", address=daemon.grpc)
        reporter.log(1, {"train/loss": 1.0})
        self.assertFalse(reporter.finish(timeout=5))
        self.assertEqual(reporter.stats().dropped, 1)
        self.assertEqual(daemon.runs(), [])


if __name__ == "__main__":
    unittest.main()
