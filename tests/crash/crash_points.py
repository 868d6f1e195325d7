#!/usr/bin/env python3
"""Lets curvecastd die at each named crash point under several writers, and checks what kill_loop.py checks, and the flags.

Ends with 0 if every check held. See README.md.
"""

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from kill_loop import POINTS_PER_BATCH, TIMEOUT_S, Writer, finish, last_words, write_in_threads

from daemon_under_test import BIN, Daemon, wait_until

POINTS = [
    "before_append",
    "before_commit",
    "committed",
    "appended",
    "before_flags",
    "flags_appended",
    "applied",
    "published",
    "answered",
    "backup",
]
TIMES = [1, 2, 7]  # At which passing of a point the daemon dies.
NAN_EVERY = 4  # Batches of the writer that logs NaN.


class NanWriter(Writer):
    """Every so many batches hold a NaN, which raises a flag at once."""

    def batch(self, sequence):
        request = super().batch(sequence)
        if sequence % NAN_EVERY == 0:
            request.batch.points[0].value[POINTS_PER_BATCH // 2] = math.nan
        return request

    def check(self, daemon):
        super().check(daemon)
        flags = [f["flag"] for f in daemon.json(f"/api/v1/runs/crash/{self.run.run_id}/flags").get("flags", [])]
        raised = [f for f in flags if f["kind"] == "NON_FINITE"]
        active = [f for f in raised if "resolution" not in f]
        if self.acknowledged >= NAN_EVERY and not raised:
            raise AssertionError(f"{self.run.run_id}: {self.acknowledged} batches, and no flag")
        if len(active) > 1:
            raise AssertionError(f"{self.run.run_id}: the flag is there {len(active)} times")


def backups(daemon, folder):
    """Asks for one after the other until the daemon dies."""
    for number in range(100):
        target = os.path.join(folder, f"copy{number}")
        done = subprocess.run([BIN / "curvecastd", "--data-dir", daemon.store, "backup", target], capture_output=True, text=True)
        if "the daemon ended before" in done.stderr:
            # It may take a moment to be gone. Asked again then, the copy is made without it.
            wait_until(lambda: daemon.process.poll() is not None, TIMEOUT_S, "the daemon to be gone")
        elif done.returncode != 0:
            time.sleep(0.05)  # It does not take commands yet.
        if daemon.process.poll() is not None:
            if done.returncode == 0 or os.path.exists(os.path.join(target, "journal.db")):
                raise AssertionError(f"a backup that was cut off looks whole: {os.listdir(target)}")
            return


def write_until(writer, address, dead):
    """From when the daemon listens until it is dead."""
    while not dead() and not writer.error:
        writer.write(address, dead)
        time.sleep(0.01)


def one_death(daemon, writers, point, times, folder):
    daemon.environment = {"CURVECAST_CRASH_AT": f"{point}:{times}"}
    daemon.spawn()
    process = daemon.process
    dead = lambda: process.poll() is not None  # noqa: E731
    threads = [threading.Thread(target=write_until, args=(writer, daemon.grpc, dead)) for writer in writers]
    for thread in threads:
        thread.start()
    if point == "backup":
        wait_until(lambda: all(w.acknowledged for w in writers) or dead(), TIMEOUT_S, "the first acknowledgements")
        backups(daemon, folder)
    wait_until(dead, TIMEOUT_S, f"the daemon to die at {point}:{times}; its log:\n{daemon.log.read_text()[-2000:]}")
    status = process.returncode
    daemon.kill()
    finish(threads, writers)
    if status != -9:
        raise AssertionError(f"{point}:{times}: it ended with {status}:\n{daemon.log.read_text()[-2000:]}")
    daemon.environment = {}
    daemon.start(TIMEOUT_S)
    for writer in writers:
        writer.check(daemon)
    daemon.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", nargs="*", default=POINTS)
    flags = parser.parse_args()
    for point in flags.points:
        folder = tempfile.mkdtemp(prefix="curvecast_crash_points_")
        daemon = Daemon(folder)
        try:
            daemon.start(TIMEOUT_S)
            writers = [Writer(number) for number in range(3)] + [NanWriter(3)]
            # So that there is something to replay.
            finish(write_in_threads(writers, daemon.grpc, lambda: all(w.acknowledged > 8 for w in writers)), writers)
            daemon.stop()
            for times in TIMES if point != "backup" else TIMES[:1]:
                one_death(daemon, writers, point, times, folder)
            daemon.start(TIMEOUT_S)
            last_words(daemon, writers)
            print(f"{point}: {sum(w.sent for w in writers) * POINTS_PER_BATCH} points, none lost, none doubled", flush=True)
        finally:
            if daemon.process:
                daemon.kill()
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
