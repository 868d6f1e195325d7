"""What the command line shows of a run that left its law: the page, the list, the picture, and what people answer."""

import json
import math
import random
import subprocess
import unittest
import xml.etree.ElementTree

import curvecast
from daemon_under_test import BIN, EndToEnd, wait_until

SVG = "{http://www.w3.org/2000/svg}"


class FlagPageTest(EndToEnd):
    def curvecast(self, *words):
        command = [BIN / "curvecast", "--address", self.address, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=30)

    def printed(self, *words):
        result = self.curvecast(*words)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_a_flagged_run_is_listed_drawn_acknowledged_and_silenced(self):
        daemon = self.daemon().start()
        self.address = daemon.grpc
        reporter = curvecast.Reporter("p", "r", total_steps=1000, labels={"<b>": "&"}, address=daemon.grpc, flush_seconds=0.02)
        noise = random.Random(20261126)
        for step in range(1, 101):
            loss = 2 + 1 / step + noise.gauss(0, 0.01)
            reporter.log(step, {"train/loss": loss if step < 90 else math.nan})
        wait_until(lambda: daemon.run("p", "r") and daemon.json("/api/v1/runs/p/r/flags").get("flags"), 10, "the flag")

        self.assertIn("NON_FINITE", self.printed("runs"))
        page = self.printed("show", "r").splitlines()
        self.assertEqual(page[0], "p/r  running")
        self.assertRegex(page[1], r"^  FLAG +#1 NON_FINITE CRITICAL since step 90: ")
        (row,) = json.loads(self.printed("flags", "--active", "--at-least", "critical", "-o", "json"))["flags"]
        self.assertEqual((row["project"], row["runId"], row["flag"]["number"]), ("p", "r", "1"))

        self.printed("show", "r", "--svg", str(self.folder / "r.svg"))
        picture = xml.etree.ElementTree.parse(self.folder / "r.svg").getroot()
        texts = ["".join(element.itertext()) for element in picture.iter(SVG + "text")]
        self.assertIn("#1 NON_FINITE critical", texts)
        self.assertEqual(self.printed("show", "r", "--svg", "-"), (self.folder / "r.svg").read_text(), "the same bytes")

        self.assertIn("is silenced by ada until", self.printed("silence", "r", "1", "--for", "2h", "--by", "ada"))
        self.assertEqual(self.printed("flags", "--active"), "no flags\n")
        self.assertIn("is not silenced any more", self.printed("silence", "r", "1", "--for", "0", "--by", "ada"))
        self.assertIn("NON_FINITE", self.printed("flags", "--active"))
        said = self.printed("ack", "r", "1", "--by", "ada", "--note", "bad shard")
        self.assertEqual(said, "p/r #1 NON_FINITE CRITICAL is acknowledged by ada.\n")
        self.assertIn("[acknowledged by ada: bad shard]", self.printed("show", "r"))
        self.assertNotIn("NON_FINITE", self.printed("runs"))
        self.assertEqual(self.curvecast("ack", "r", "7", "--by", "ada").returncode, 4)
        reporter.finish()

    def run_file(self, name, level, stops_at=1001):
        """A run of 100 points under a cosine whose loss, from one step on, falls half as fast as it should."""
        noise = random.Random(name)
        declared = {"project": "p", "runId": name, "objective": "train/loss", "totalSteps": "1000",
                    "schedule": {"peakLr": 0.001, "decay": "COSINE"}}
        clean = [level * (2 + 0.5 * (step / 1000 + 0.01) ** -0.3) for step in range(10, 1001, 10)]
        values = [loss + noise.gauss(0, 0.005) for loss in clean]
        for i in range(stops_at // 10, len(clean)):
            values[i] += (clean[stops_at // 10 - 1] - clean[i]) / 2
        path = self.folder / f"{name}.jsonl"
        lines = [{"run": declared}, {"points": {"metric": "train/loss", "step": list(range(10, 1001, 10)), "value": values}},
                 {"end": {"state": "COMPLETED"}}]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    def test_a_replay_that_knows_finished_runs_of_the_project_finds_more(self):
        self.address = "127.0.0.1:1"  # No daemon.
        (self.folder / "old").mkdir()
        for i in range(8):
            path = self.run_file(f"old{i}", 1 + 0.02 * i)
            path.rename(self.folder / "old" / path.name)
        slow = self.run_file("slow", 1.05, stops_at=400)

        def flagged(*words):
            lines = self.printed("flags", slow, "--at-least", "warning", "-o", "json", *words).splitlines()
            return [(flag["kind"], int(flag["beganStep"])) for flag in (json.loads(line)["flag"] for line in lines)]

        alone, with_history = flagged(), flagged("--history-runs", self.folder / "old")
        self.assertLess(len(alone), len(with_history), (alone, with_history))
        self.assertTrue(all(began > 350 for _, began in with_history), with_history)
        refused = self.curvecast("flags", slow, "--history-runs", self.folder / "nothing")
        self.assertEqual((refused.returncode, "nothing" in refused.stderr), (4, True), refused)

    def test_what_a_job_says_that_it_is_doing_is_shown_until_its_next_point(self):
        daemon = self.daemon().start()
        self.address = daemon.grpc
        with curvecast.Reporter("p", "r", address=daemon.grpc, flush_seconds=0.02) as reporter:
            reporter.log(1, {"train/loss": 2.0})
            with reporter.phase("eval", 2400):
                wait_until(lambda: (r := daemon.run("p", "r")) and r["run"].get("phase"), 10, "the phase")
                self.assertIn("eval, at most 40m\n", self.printed("show", "r"))
            reporter.log(2, {"train/loss": 1.9})
            wait_until(lambda: "phase" not in daemon.run("p", "r")["run"], 10, "its end")


if __name__ == "__main__":
    unittest.main()
