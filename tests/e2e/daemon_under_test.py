"""A real curvecastd and real training jobs, on free loopback ports and a temporary store. For the tests beside this file."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CURVECAST_BIN", SOURCE / "build" / "dev" / "bin"))
_STATS = re.compile(r"logged (\d+), acknowledged (\d+), dropped (\d+), reconnects (\d+)")

# Small enough that a test has time for a whole run, slow enough (about a millisecond a step) to be caught in the middle.
SMALL_JOB = ["--width", "32", "--batch", "256", "--eval-every", "500", "--text", str(SOURCE)]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, seconds, what):
    """Polls; returns what `condition` returns once it is true."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


class Daemon:
    """One store; its process may be started, stopped, killed and started again on the same ports."""

    def __init__(self, folder, *flags):
        self.folder = pathlib.Path(folder)
        self.store = self.folder / "store"
        self.log = self.folder / "curvecastd.log"
        self.grpc = f"127.0.0.1:{free_port()}"
        self.http = f"127.0.0.1:{free_port()}"
        self.address = self.grpc  # For those who report.
        self.flags = flags
        self.environment = {}  # Added to this process's.
        self.preexec = None  # Called in the process before the daemon starts.
        self.process = None

    def spawn(self):
        """Starts the process and returns at once."""
        assert self.process is None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BIN / "curvecastd", "--data-dir", self.store, "--grpc", self.grpc, "--http", self.http, *self.flags],
                stderr=log,
                stdout=log,
                preexec_fn=self.preexec,
                env={**os.environ, **self.environment},
            )

    def start(self, seconds=20):
        self.spawn()
        wait_until(lambda: self.readiness() == 200, seconds, f"the daemon; its log:\n{self.log.read_text()}")
        return self

    def readiness(self):
        """The status of /-/ready; 0 if nobody answers."""
        if self.process.poll() is not None:
            raise AssertionError(f"curvecastd ended with {self.process.returncode}:\n{self.log.read_text()}")
        try:
            return urllib.request.urlopen(f"http://{self.http}/-/ready", timeout=5).status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def stop(self, seconds=20):
        """SIGTERM; returns the exit status."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(timeout=seconds)
        finally:
            process.kill()
            process.wait()

    def kill(self):
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def text(self, path):
        return urllib.request.urlopen(f"http://{self.http}{path}", timeout=30).read().decode()

    def json(self, path):
        return json.loads(self.text(path))

    def sample(self, name):
        """The value of a metric that has no labels."""
        return float(re.search(rf"^{name} (\S+)$", self.text("/metrics"), re.MULTILINE).group(1))

    def run(self, project, run_id):
        """GetRun, or None if there is no such run."""
        try:
            return self.json(f"/api/v1/runs/{project}/{run_id}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def runs(self):
        """ListRuns, all pages."""
        runs, token = [], ""
        while True:
            page = self.json(f"/api/v1/runs?page_size=400&page_token={token}")
            runs += page.get("runs", [])
            token = page.get("nextPageToken", "")
            if not token:
                return runs

    def progress(self, project, run_id):
        run = self.run(project, run_id)
        return run["run"].get("progress", 0) if run else 0


def metric(run, name):
    """One MetricSummary of a GetRun answer, its counts as numbers."""
    (summary,) = [m for m in run["metrics"] if m["metric"] == name]
    return {
        "points": int(summary.get("points", 0)),
        "non_finite": int(summary.get("nonFinitePoints", 0)),
        "last_step": int(summary.get("lastStep", 0)),
        "last_value": float(summary.get("lastValue", 0)),
    }


def read_run_file(path):
    """{metric: {step: value}}, with rewinds taken as run-files say."""
    metrics = {}
    for line in pathlib.Path(path).read_text().splitlines():
        line = json.loads(line)
        if "points" in line:
            points = line["points"]
            metrics.setdefault(points["metric"], {}).update(zip(map(int, points["step"]), map(float, points["value"])))
        if "rewind" in line:
            back_to = int(line["rewind"]["fromStep"])
            for points in metrics.values():
                for step in [s for s in points if s >= back_to]:
                    del points[step]
    return metrics


class Job:
    """A train_lm process."""

    def __init__(self, folder, daemon, *flags):
        self.errors = pathlib.Path(folder) / "train_lm.err"
        self.output = pathlib.Path(folder) / "train_lm.out"
        with open(self.errors, "w") as errors, open(self.output, "w") as output:
            command = [BIN / "train_lm", *SMALL_JOB, "--address", daemon.address, *flags]
            self.process = subprocess.Popen(command, stdout=output, stderr=errors)

    def wait(self, seconds=50):
        return self.process.wait(timeout=seconds)

    def stats(self):
        """(logged, acknowledged, dropped, reconnects) as the job's reporter counted them."""
        return tuple(map(int, _STATS.search(self.output.read_text()).groups()))


class EndToEnd(unittest.TestCase):
    """Gives each test a folder, and leaves no process behind."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="curvecast_e2e_"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def daemon(self, *flags):
        daemon = Daemon(self.folder, *flags)
        self.addCleanup(lambda: daemon.process and daemon.kill())
        return daemon

    def job(self, daemon, *flags):
        job = Job(self.folder, daemon, *flags)

        def end():
            job.process.kill()
            job.process.wait()

        self.addCleanup(end)
        return job

    def check_curve_is(self, daemon, project, run_id, points):
        """The daemon's curve holds each of {step: value} once: as many, and in each bin the mean of just its points."""
        curve = daemon.json(f"/api/v1/runs/{project}/{run_id}/curve")
        counts = [int(c) for c in curve["count"]]
        self.assertEqual(sum(counts), len(points))
        in_order = sorted(points)
        taken = 0
        for count, step, value in zip(counts, curve["step"], curve["value"]):
            steps = in_order[taken : taken + count]
            taken += count
            self.assertAlmostEqual(step, sum(steps) / count, places=6)
            self.assertAlmostEqual(value, sum(points[s] for s in steps) / count, places=9)

    def without_rewound_bin(self, daemon, project, run_id, points, rewound_to):
        """A rewind takes along the bin that it cuts in two, so the curve (not the journal) lacks a few points just below it.
        Checks that they are few, and returns {step: value} without them."""
        run = daemon.run(project, run_id)
        missing = len(points) - metric(run, "train/loss")["points"]
        self.assertLessEqual(missing, 0.02 * len(points))
        below = sorted(s for s in points if s < rewound_to)
        return {s: v for s, v in points.items() if s not in below[len(below) - missing :]}
