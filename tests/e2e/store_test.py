"""What an operator does with a store, and what a disk does to a daemon: doctor, backup, salvage; full, read-only and occupied folders."""

import os
import pathlib
import re
import subprocess
import threading
import time
import unittest

import grpc
from curvecast.v1 import ingest_pb2, ingest_pb2_grpc, run_pb2
from daemon_under_test import BIN, Daemon, EndToEnd, metric, wait_until

BATCHES = 40
POINTS = 100


def push(daemon, run_id, batches=BATCHES, timeout=30):
    """Sends batches of POINTS points; returns how many were acknowledged before the time was over."""
    run = run_pb2.Run(project="store", run_id=run_id, total_steps=10**6)
    requests = [ingest_pb2.PushRequest(channel=1, open=ingest_pb2.Open(run=run, incarnation=1))]
    for sequence in range(1, batches + 1):
        steps = range((sequence - 1) * POINTS, sequence * POINTS)
        points = run_pb2.Points(metric="train/loss", step=steps, value=[3.0 + 1.0 / (1 + s) for s in steps])
        requests.append(ingest_pb2.PushRequest(channel=1, batch=ingest_pb2.Batch(sequence=sequence, points=[points])))
    acknowledged = 0
    with grpc.insecure_channel(daemon.grpc) as channel:
        try:
            for answer in ingest_pb2_grpc.IngestServiceStub(channel).Push(iter(requests), timeout=timeout):
                if answer.WhichOneof("response") == "ack":
                    acknowledged = answer.ack.sequence
        except grpc.RpcError:
            pass
    return acknowledged


class StoreCase(EndToEnd):
    def curvecastd(self, *arguments, store=None):
        command = [BIN / "curvecastd", "--data-dir", store or self.folder / "store", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)


class StoreTest(StoreCase):
    def points_of(self, store, run_id):
        """As a daemon on that store tells them."""
        folder = self.folder / "reader"
        folder.mkdir(exist_ok=True)
        reader = Daemon(folder)
        reader.store = store
        self.addCleanup(lambda: reader.process and reader.kill())
        reader.start()
        found = reader.run("store", run_id)
        reader.stop()
        return metric(found, "train/loss")["points"] if found else 0

    def test_a_backup_of_a_running_daemon_is_a_store(self):
        daemon = self.daemon().start()
        self.assertEqual(push(daemon, "a"), BATCHES)
        copy = self.folder / "copy"
        done = self.curvecastd("backup", copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{BATCHES * POINTS} points of 1 runs", done.stdout)
        self.assertEqual(push(daemon, "b"), BATCHES, "the daemon goes on")
        again = self.curvecastd("backup", copy)
        self.assertEqual(again.returncode, 1)
        self.assertIn("another folder", again.stderr)
        self.assertEqual(self.points_of(copy, "a"), BATCHES * POINTS)

    def test_a_backup_needs_no_daemon(self):
        daemon = self.daemon().start()
        push(daemon, "a")
        daemon.kill()
        copy = self.folder / "copy"
        done = self.curvecastd("backup", copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.points_of(copy, "a"), BATCHES * POINTS)

    def test_the_doctor_tells_a_store_that_is_in_use_in_order_or_damaged(self):
        daemon = self.daemon().start()
        push(daemon, "a")
        in_use = self.curvecastd("doctor")
        self.assertEqual(in_use.returncode, 1)
        self.assertIn(f"in use by process {daemon.process.pid}", in_use.stderr)
        daemon.stop()
        fine = self.curvecastd("doctor")
        self.assertEqual(fine.returncode, 0, fine.stderr)
        self.assertIn("it is in order", fine.stdout)
        self.damage(b"store")
        damaged = self.curvecastd("doctor")
        self.assertEqual(damaged.returncode, 1)
        self.assertIn("row ", damaged.stderr)
        self.assertIn("can still be read", damaged.stdout)

    def damage(self, text):
        """Changes a byte behind the last place of `text` in the file."""
        file = self.folder / "store" / "journal.db"
        content = bytearray(file.read_bytes())
        content[content.rfind(text)] ^= 1
        file.write_bytes(content)

    def test_a_damaged_store_is_refused_and_salvaged(self):
        daemon = self.daemon().start()
        push(daemon, "a")
        daemon.stop()
        self.damage(b"train/loss")
        daemon.start()
        self.assertEqual(metric(daemon.run("store", "a"), "train/loss")["points"], BATCHES * POINTS, "by the snapshot")
        daemon.stop()
        (daemon.store / "journal.snapshot").unlink()
        refused = self.curvecastd("--grpc", daemon.grpc, "--http", daemon.http)
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, "journal.db: damaged: row [0-9]+ of table event")
        salvaged = self.curvecastd("--salvage")
        self.assertEqual(salvaged.returncode, 0, salvaged.stderr)
        self.assertIn("(in all 1)", salvaged.stdout)
        self.assertEqual(self.points_of(f"{daemon.store}.salvaged", "a"), (BATCHES - 1) * POINTS)
        self.assertEqual(self.curvecastd("--salvage").returncode, 1, "it must not write over the first")

    def test_a_start_reads_what_came_after_the_snapshot_and_all_if_that_does_not_fit(self):
        daemon = self.daemon().start()
        push(daemon, "a")
        daemon.stop()
        daemon.start()
        self.assertEqual(daemon.sample("curvecast_replayed_events"), 0)
        push(daemon, "b")
        daemon.kill()
        daemon.start()
        self.assertGreaterEqual(daemon.sample("curvecast_replayed_events"), BATCHES)
        self.assertLess(daemon.sample("curvecast_replayed_events"), 2 * BATCHES)
        daemon.stop()
        self.assertIn("a snapshot of the first", self.curvecastd("doctor").stdout)
        daemon.flags = ("--set", "watch.silent_after_seconds=60")
        daemon.start()
        self.assertGreaterEqual(daemon.sample("curvecast_replayed_events"), 2 * BATCHES)
        self.assertEqual(daemon.log.read_text().count("the snapshot is not used"), 1)
        self.assertIn("it was folded under other settings", daemon.log.read_text())
        for run_id in ("a", "b"):
            self.assertEqual(metric(daemon.run("store", run_id), "train/loss")["points"], BATCHES * POINTS)


@unittest.skipUnless(os.geteuid() == 0, "only root can mount a small disk")
class SmallDiskTest(StoreCase):
    """On a disk of 8 MB of its own."""

    def mount(self):
        disk = self.folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], capture_output=True).returncode != 0:
            self.skipTest("mounts are not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk])
        return disk

    def on_disk(self, disk):
        daemon = self.daemon()
        daemon.store = disk / "store"
        return daemon

    def test_a_full_disk_holds_up_and_loses_nothing_and_is_over_when_there_is_room(self):
        disk = self.mount()
        daemon = self.on_disk(disk).start()
        first = push(daemon, "a")
        filler = disk / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        held_up = push(daemon, "b", batches=1000, timeout=3)
        self.assertLess(held_up, 1000, "the disk was not full")
        self.assertIn("free some space", daemon.log.read_text())
        daemon.kill()
        daemon.start()
        self.assertEqual(metric(daemon.run("store", "a"), "train/loss")["points"], first * POINTS, "read on a full disk")
        self.assertEqual(push(daemon, "c", timeout=2), 0)
        filler.unlink()
        wait_until(lambda: "keeps transactions again" in daemon.log.read_text(), 20, "the journal to go on")
        daemon.kill()
        daemon.start()
        self.assertEqual(metric(daemon.run("store", "a"), "train/loss")["points"], first * POINTS)
        found = daemon.run("store", "b")
        self.assertGreaterEqual(metric(found, "train/loss")["points"] if found and held_up else 0, held_up * POINTS)
        self.assertEqual(push(daemon, "b"), BATCHES, "the daemon goes on")

    def resident_mb(self, daemon):
        status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def test_a_stalled_disk_slows_the_clients_and_memory_stays_bounded(self):
        disk = self.mount()
        daemon = self.on_disk(disk)
        daemon.flags = ["--set", "limits.max_inbox_batches=100", "--set", "limits.max_grpc_memory_bytes=67108864"]
        daemon.start()
        push(daemon, "a")
        with open(disk / "filler", "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        before = self.resident_mb(daemon)
        streams, batches, points = 8, 400, 10000  # 0.3 GB in all, were it taken.
        sent = [0] * streams

        def requests(number):
            run = run_pb2.Run(project="store", run_id=f"big{number}", total_steps=10**6)
            yield ingest_pb2.PushRequest(channel=1, open=ingest_pb2.Open(run=run, incarnation=1))
            column = run_pb2.Points(metric="train/loss", step=range(points), value=[2.5] * points)
            for sequence in range(1, batches + 1):
                sent[number] = sequence
                yield ingest_pb2.PushRequest(channel=1, batch=ingest_pb2.Batch(sequence=sequence, points=[column]))

        def flood(number):
            with grpc.insecure_channel(daemon.grpc) as channel:
                try:
                    list(ingest_pb2_grpc.IngestServiceStub(channel).Push(requests(number), timeout=6))
                except grpc.RpcError:
                    pass

        threads = [threading.Thread(target=flood, args=(number,)) for number in range(streams)]
        for thread in threads:
            thread.start()
        most = 0
        while any(thread.is_alive() for thread in threads):
            most = max(most, self.resident_mb(daemon))
            time.sleep(0.05)
        self.assertLess(sum(sent), streams * batches, "nobody was slowed")
        self.assertLess(most - before, 250, f"{sum(sent)} batches were sent")
        (disk / "filler").unlink()
        wait_until(lambda: "keeps transactions again" in daemon.log.read_text() or push(daemon, "c", timeout=1), 20, "the journal")
        self.assertEqual(metric(daemon.run("store", "a"), "train/loss")["points"], BATCHES * POINTS)

    def test_a_disk_that_turned_read_only_is_named(self):
        disk = self.mount()
        daemon = self.on_disk(disk).start()
        push(daemon, "a")
        daemon.stop()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        refused = self.curvecastd("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", store=daemon.store)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("Read-only file system", refused.stderr)
        self.assertIn("store.directory", refused.stderr)


if __name__ == "__main__":
    unittest.main()
