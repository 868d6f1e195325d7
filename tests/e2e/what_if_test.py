"""`curvecast forecast`: what a half-trained run would end at under another plan."""

import json
import subprocess
import unittest

from daemon_under_test import BIN, EndToEnd

HALF_WAY = ["--steps", "4000", "--run-id", "r", "--schedule", "constant", "--save-every", "1000", "--crash-at", "2400"]


class WhatIfTest(EndToEnd):
    def forecast(self, daemon, *flags):
        command = [BIN / "curvecast", "--address", daemon.grpc, "forecast", *flags]
        return subprocess.run(command, capture_output=True, text=True, timeout=30)

    def test_a_decay_from_here_ends_lower_than_a_constant_rate_and_changes_nothing(self):
        daemon = self.daemon().start()
        job = self.job(daemon, *HALF_WAY, "--save", self.folder / "checkpoint")
        self.assertEqual(job.wait(), 3)
        before = daemon.run("train_lm", "r")

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
        self.assertEqual(daemon.run("train_lm", "r"), before, "a question changes nothing")

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
