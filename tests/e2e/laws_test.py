"""`curvecast laws` says the same of the runs that a daemon holds and of their files."""

import json
import subprocess
import unittest

from daemon_under_test import BIN, EndToEnd, wait_until


class LawsTest(EndToEnd):
    def laws(self, *arguments):
        command = [BIN / "curvecast", "laws", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def test_a_project_in_the_daemon_and_in_files(self):
        daemon = self.daemon().start()
        runs = [("a", 1, 400), ("b", 1, 800), ("c", 3, 400), ("d", 3, 800)]
        for run_id, layers, steps in runs:
            flags = ["--layers", str(layers), "--steps", str(steps), "--run-id", run_id]
            job = self.job(daemon, *flags, "--write-run-file", self.folder / f"{run_id}.jsonl")
            self.assertEqual(job.wait(), 0)
        over = lambda: [r["state"] for r in daemon.runs()].count("COMPLETED") == len(runs)
        wait_until(over, 10, "the runs' ends")

        asked = self.laws("train_lm", "--address", daemon.grpc, "-o", "json")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        read = self.laws("--runs", self.folder, "-o", "json")
        self.assertEqual(read.returncode, 0, read.stderr)
        (of_daemon,), (of_files,) = json.loads(asked.stdout)["projects"], json.loads(read.stdout)["projects"]
        self.assertEqual(of_daemon["runs"], 4)
        self.assertEqual(len(of_daemon["cells"]), 4)
        self.assertIn("2 distinct sizes", of_daemon["chinchilla"]["median"]["notIdentified"])
        # A curve of at most 256 points is kept as it came, so that the numbers are the same.
        self.assertEqual(of_daemon, of_files)

        nobody = self.laws("nobody", "--address", daemon.grpc)
        self.assertEqual(nobody.returncode, 4)
        self.assertIn('no run of a project "nobody"', nobody.stderr)


if __name__ == "__main__":
    unittest.main()
