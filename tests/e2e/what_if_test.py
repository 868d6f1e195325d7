"""`curvecast forecast`: what a half-trained run would end at under another plan."""

import json
import subprocess
import unittest

from daemon_under_test import BIN, EndToEnd, wait_until

HALF_WAY = ["--steps", "4000", "--run-id", "r", "--schedule", "constant", "--save-every", "1000", "--crash-at", "2400"]


class WhatIfTest(EndToEnd):
    def forecast(self, daemon, *flags):
        command = [BIN / "curvecast", "--address", daemon.grpc, "forecast", *flags]
        return subprocess.run(command, capture_output=True, text=True, timeout=30)

    def test_a_decay_from_here_ends_lower_than_a_constant_rate_and_changes_nothing(self):
        daemon = self.daemon().start()
        job = self.job(daemon, *HALF_WAY, "--save", self.folder / "checkpoint")
        self.assertEqual(job.wait(), 3)
        # What the job sent last may still be on its way into the forecast.
        before = wait_until(
            lambda: (r := daemon.run("train_lm", "r")) and r["run"].get("forecast", {}).get("step") == r["run"]["step"] and r,
            10,
            "a forecast from the newest point",
        )

        asked = self.forecast(daemon, "r", "--decay", "linear", "-o", "json")
        self.assertEqual((asked.returncode, asked.stderr), (0, ""))
        answer = json.loads(asked.stdout)
        self.assertEqual(answer, daemon.json("/api/v1/runs/train_lm/r/what-if?decay=linear"), "HTTP says the same")
        declared, what_if = answer["declared"], answer["whatIf"]
        self.assertEqual((declared["totalSteps"], what_if["totalSteps"]), ("4000", "4000"))
        newest = int(before["run"]["step"])
        steps = [int(p["step"]) for p in what_if["forecast"]["path"]]
        self.assertEqual((steps[0], steps[-1], steps), (newest, 4000, sorted(steps)))
        for point in what_if["forecast"]["path"]:
            self.assertLess(point["p05"], point["p50"])
            self.assertLess(point["p50"], point["p95"])
        self.assertLess(what_if["forecast"]["quantiles"]["0.5"], declared["forecast"]["quantiles"]["0.5"])

        page = self.forecast(daemon, "r", "--total-steps", "8000", "--ascii")
        self.assertEqual(page.returncode, 0)
        self.assertIn("as planned  4000", page.stdout)
        self.assertIn("what if     8000", page.stdout)
        self.assertIn("% lower than as planned", page.stdout)
        self.assertIn("90 % band", page.stdout)
        self.assertEqual(daemon.run("train_lm", "r")["run"]["run"], before["run"]["run"], "a question changes nothing")

    def test_a_run_that_declares_no_schedule_is_forecast_by_the_rate_that_it_logs(self):
        daemon = self.daemon().start()
        run_file = self.folder / "run.jsonl"
        flags = ["--steps", "4000", "--run-id", "r", "--save-every", "1000", "--crash-at", "1600"]
        job = self.job(daemon, *flags, "--save", self.folder / "checkpoint", "--write-run-file", run_file)
        self.assertEqual(job.wait(), 3)
        # From the file both times: a job that crashes does not send its last points.
        for name in ("declared", "silent"):
            lines = [json.loads(line) for line in run_file.read_text().splitlines()]
            lines[0]["run"]["runId"] = name
            if name == "silent":
                del lines[0]["run"]["schedule"]
            (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
            command = [BIN / "curvecast", "--address", daemon.grpc, "import", self.folder / f"{name}.jsonl"]
            imported = subprocess.run(command, capture_output=True, text=True, timeout=30)
            self.assertEqual(imported.returncode, 0, imported.stderr)

        silent = json.loads(self.forecast(daemon, "silent", "--decay", "none", "-o", "json").stdout)
        declared = json.loads(self.forecast(daemon, "declared", "--decay", "none", "-o", "json").stdout)
        self.assertRegex(silent["declared"]["plan"], r"^lr: peak at step \d+, cosine, ")
        for plan in ("declared", "whatIf"):
            ends = [a[plan]["forecast"]["quantiles"]["0.5"] for a in (silent, declared)]
            self.assertAlmostEqual(ends[0] / ends[1], 1, delta=0.005)
        run = wait_until(
            lambda: (r := daemon.run("train_lm", "silent")) and r["run"].get("inferredSchedule") and r, 10, "the inference"
        )
        self.assertEqual(run["run"]["inferredSchedule"], silent["declared"]["plan"])

    def test_mistakes_have_exit_codes_and_say_what_to_do(self):
        daemon = self.daemon().start()
        job = self.job(daemon, *HALF_WAY, "--save", self.folder / "checkpoint")
        self.assertEqual(job.wait(), 3)
        for flags, code, text in (
            (["nobody"], 4, "nobody"),
            (["r", "--total-steps", "100"], 2, "give a later end"),
            (["r", "--decay", "linear", "--final-lr", "9"], 2, "final_lr: 9 is outside 0 to the present rate"),
            (["r", "--decay-from", "3000"], 2, "--decay"),
        ):
            asked = self.forecast(daemon, *flags)
            self.assertEqual(asked.returncode, code, flags)
            self.assertIn(text, asked.stderr)
        daemon.kill()
        self.assertEqual(self.forecast(daemon, "r").returncode, 3)


if __name__ == "__main__":
    unittest.main()
