"""SIGTERM drains and exits 0, in the middle of training too; a second daemon may not have the store meanwhile."""

import subprocess
import unittest

from daemon_under_test import BIN, EndToEnd, free_port, metric, wait_until


class ShutdownTest(EndToEnd):
    def test_an_idle_daemon_ends_with_0_on_sigterm(self):
        self.assertEqual(self.daemon().start().stop(seconds=10), 0)

    def test_a_daemon_with_a_streaming_job_drains_ends_with_0_and_goes_on_where_it_was(self):
        daemon = self.daemon().start()
        job = self.job(daemon, "--steps", "6000", "--run-id", "r")
        wait_until(lambda: daemon.progress("train_lm", "r") > 0.2, 30, "a fifth of the run")
        self.assertEqual(daemon.stop(seconds=10), 0)
        daemon.start()
        self.assertGreater(daemon.progress("train_lm", "r"), 0.2)
        self.assertEqual(job.wait(), 0)
        logged, acknowledged, dropped, _ = job.stats()
        self.assertEqual((acknowledged, dropped), (logged, 0))
        self.assertEqual(metric(daemon.run("train_lm", "r"), "train/loss")["points"], 1200)

    def test_a_second_daemon_on_the_same_store_is_refused_with_a_word(self):
        daemon = self.daemon().start()
        ports = ["--grpc", f"127.0.0.1:{free_port()}", "--http", f"127.0.0.1:{free_port()}"]
        second = subprocess.run(
            [BIN / "curvecastd", "--data-dir", daemon.store, *ports], capture_output=True, text=True, timeout=20
        )
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(str(daemon.store), second.stderr)
        self.assertEqual(daemon.readiness(), 200)


if __name__ == "__main__":
    unittest.main()
