#!/usr/bin/env python3
"""Kills curvecastd again and again under several writers, and checks that no acknowledged point is lost and none is doubled.

Ends with 0 if every check held. See README.md.
"""

import argparse
import os
import pathlib
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

# Before grpc is imported: what it says of broken connections is what this program makes.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import grpc  # noqa: E402
from curvecast.v1 import ingest_pb2, ingest_pb2_grpc, run_pb2  # noqa: E402
from daemon_under_test import BIN, Daemon, metric, wait_until  # noqa: E402

POINTS_PER_BATCH = 50
CYCLES_A_STORE = 50  # Then a fresh one, so that a replay stays short.
RESENT_ON_PURPOSE = 3  # Batches that are known to be safe and are sent once more.
UNACKNOWLEDGED_AT_MOST = 64
TIMEOUT_S = 60


class Writer:
    """One run. Batch number n holds the steps from (n - 1) * POINTS_PER_BATCH on, so that what is safe can be counted."""

    def __init__(self, number):
        self.run = run_pb2.Run(project="crash", run_id=f"run{number}", total_steps=10**9)
        self.acknowledged = 0  # The highest sequence number; all below are acknowledged too.
        self.sent = 0
        self.error = None

    def batch(self, sequence):
        steps = range((sequence - 1) * POINTS_PER_BATCH, sequence * POINTS_PER_BATCH)
        points = run_pb2.Points(metric="train/loss", step=steps, value=[3.0 + 1.0 / (1 + s) for s in steps])
        return ingest_pb2.PushRequest(channel=1, batch=ingest_pb2.Batch(sequence=sequence, points=[points]))

    def open_stream(self, address):
        """(requests, answers, channel, expected sequence) of a stream on which the run is open."""
        channel = grpc.insecure_channel(address)
        requests = queue.Queue()
        answers = ingest_pb2_grpc.IngestServiceStub(channel).Push(iter(requests.get, None), timeout=TIMEOUT_S)
        requests.put(ingest_pb2.PushRequest(channel=1, open=ingest_pb2.Open(run=self.run, incarnation=7)))
        try:
            first = next(answers)
        except grpc.RpcError:
            requests.put(None)  # Or the thread that waits for more outlives this program.
            channel.close()
            raise
        if first.WhichOneof("response") != "opened":
            raise AssertionError(f"{self.run.run_id}: open was answered with {first}")
        return requests, answers, channel, first.opened.expected_sequence

    def expected_sequence(self, address):
        requests, answers, channel, expected = self.open_stream(address)
        requests.put(None)
        for _ in answers:
            pass
        channel.close()
        return expected

    def write(self, address, enough):
        """Sends and counts acknowledgements until the stream breaks or `enough` says that it is."""
        try:
            requests, answers, channel, expected = self.open_stream(address)
        except grpc.RpcError:
            return  # Killed before it could answer.
        try:
            sequence = max(1, expected - RESENT_ON_PURPOSE)
            while not enough():
                while sequence <= self.acknowledged + UNACKNOWLEDGED_AT_MOST:
                    requests.put(self.batch(sequence))
                    self.sent = max(self.sent, sequence)
                    sequence += 1
                self.take(next(answers))
            requests.put(None)
            for answer in answers:
                self.take(answer)
        except (grpc.RpcError, StopIteration):
            pass
        except AssertionError as error:
            self.error = error
        finally:
            requests.put(None)
            channel.close()

    def take(self, answer):
        if answer.WhichOneof("response") != "ack":
            raise AssertionError(f"{self.run.run_id}: a batch was answered with {answer}")
        self.acknowledged = max(self.acknowledged, answer.ack.sequence)

    def check(self, daemon):
        """After a restart: what was acknowledged is there, what is there is a prefix of what was sent, and each point once."""
        expected = self.expected_sequence(daemon.grpc)
        safe = expected - 1
        if not self.acknowledged <= safe <= self.sent:
            raise AssertionError(f"{self.run.run_id}: {self.acknowledged} batches acknowledged, {self.sent} sent, {safe} found")
        self.check_points(daemon, safe)
        self.acknowledged = safe

    def check_points(self, daemon, batches):
        if batches == 0:
            return
        found = metric(daemon.run("crash", self.run.run_id), "train/loss")
        wanted = batches * POINTS_PER_BATCH
        if (found["points"] + found["non_finite"], found["last_step"]) != (wanted, wanted - 1):
            raise AssertionError(f"{self.run.run_id}: {batches} batches are {wanted} points, found {found}")


def write_in_threads(writers, address, enough):
    threads = [threading.Thread(target=writer.write, args=(address, enough)) for writer in writers]
    for thread in threads:
        thread.start()
    return threads


def finish(threads, writers):
    for thread in threads:
        thread.join(TIMEOUT_S)
    for writer in writers:
        if writer.error:
            raise writer.error


def one_cycle(daemon, writers, chance):
    threads = write_in_threads(writers, daemon.grpc, lambda: False)
    time.sleep(chance.uniform(0.05, 0.5))  # The moment of the kill is what is tried out.
    daemon.kill()
    finish(threads, writers)
    daemon.start(TIMEOUT_S)
    for writer in writers:
        writer.check(daemon)
    return int(daemon.sample("curvecast_replayed_events"))


def curves(daemon, writers):
    return [daemon.text(f"/api/v1/runs/crash/{writer.run.run_id}/curve") for writer in writers]


def last_words(daemon, writers):
    """One more life in peace: everything that was sent gets acknowledged, and is there once, after a fresh replay too."""
    goal = max(writer.sent for writer in writers) + 1
    for writer in writers:
        finish(write_in_threads([writer], daemon.grpc, lambda: writer.acknowledged >= goal), [writer])
        wait_until(lambda: writer.expected_sequence(daemon.grpc) == writer.sent + 1, TIMEOUT_S, writer.run.run_id)
    before = curves(daemon, writers)
    daemon.stop()
    doctor = subprocess.run([BIN / "curvecastd", "--data-dir", daemon.store, "doctor"], capture_output=True, text=True)
    if doctor.returncode != 0 or "a snapshot of the first" not in doctor.stdout:
        raise AssertionError(f"doctor: {doctor.stdout}{doctor.stderr}")
    for what in ("snapshot", "fresh replay"):
        daemon.start(TIMEOUT_S)
        for writer in writers:
            writer.check_points(daemon, writer.sent)
        if curves(daemon, writers) != before:
            raise AssertionError(f"a {what} gives other curves than the daemon had")
        daemon.stop()
        (daemon.store / "journal.snapshot").unlink()
    daemon.start(TIMEOUT_S)


def one_store(cycles, clients, chance):
    """So many kills of a daemon on a fresh store; returns how many points were sent."""
    folder = tempfile.mkdtemp(prefix="curvecast_kill_loop_")
    # Snapshots by the dozen a life, so that kills meet them; most starts go on from one.
    daemon = Daemon(folder, "--set", "store.snapshot_after_points=5000")
    try:
        daemon.start(TIMEOUT_S)
        from_snapshots = 0
        writers = [Writer(number) for number in range(clients)]
        for cycle in range(1, cycles + 1):
            tail = one_cycle(daemon, writers, chance)
            safe = sum(w.acknowledged for w in writers)
            from_snapshots += tail < safe
            print(f"cycle {cycle}: {safe * POINTS_PER_BATCH} points safe, {tail} events replayed", flush=True)
        if cycles >= 10 and from_snapshots < cycles // 4:
            raise AssertionError(f"only {from_snapshots} of {cycles} starts went on from a snapshot")
        if not all(writer.acknowledged for writer in writers):
            raise AssertionError("a writer never got an acknowledgement: nothing was tried")
        last_words(daemon, writers)
    finally:
        if daemon.process:
            daemon.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return sum(w.sent for w in writers) * POINTS_PER_BATCH


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=10)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    flags = parser.parse_args()
    print(f"{flags.cycles} cycles of {flags.clients} clients, seed {flags.seed}", flush=True)
    chance = random.Random(flags.seed)
    points = 0
    for done in range(0, flags.cycles, CYCLES_A_STORE):
        points += one_store(min(CYCLES_A_STORE, flags.cycles - done), flags.clients, chance)
    print(f"{points} points, none lost, none doubled")


if __name__ == "__main__":
    main()
