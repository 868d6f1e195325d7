"""What the system grants a daemon: too few files, a folder that is not its own."""

import os
import pathlib
import re
import resource
import socket
import subprocess
import threading
import time
import unittest

import grpc
from curvecast.v1 import ingest_pb2, ingest_pb2_grpc, run_pb2
from daemon_under_test import BIN, EndToEnd, metric, wait_until

POINTS = 20
NOBODY = 65534


class Stream:
    """A Push stream that stays open and sends a batch when told."""

    def __init__(self, daemon, run_id):
        self.channel = grpc.insecure_channel(daemon.grpc)
        self.waiting = []
        self.changed = threading.Condition()
        self.acknowledged = self.sent = 0
        run = run_pb2.Run(project="limits", run_id=run_id, total_steps=10**6)
        self.put(ingest_pb2.PushRequest(channel=1, open=ingest_pb2.Open(run=run, incarnation=1)))
        answers = ingest_pb2_grpc.IngestServiceStub(self.channel).Push(iter(self.get, None), wait_for_ready=True)
        threading.Thread(target=self.read, args=(answers,), daemon=True).start()

    def put(self, request):
        with self.changed:
            self.waiting.append(request)
            self.changed.notify_all()

    def get(self):
        with self.changed:
            self.changed.wait_for(lambda: self.waiting)
            return self.waiting.pop(0)

    def read(self, answers):
        try:
            for answer in answers:
                if answer.WhichOneof("response") == "ack":
                    self.acknowledged = answer.ack.sequence
        except grpc.RpcError:
            pass

    def send(self):
        """One batch more, and waits until it is acknowledged."""
        self.sent += 1
        steps = range((self.sent - 1) * POINTS, self.sent * POINTS)
        points = run_pb2.Points(metric="train/loss", step=steps, value=[3.0 + 1.0 / (1 + s) for s in steps])
        self.put(ingest_pb2.PushRequest(channel=1, batch=ingest_pb2.Batch(sequence=self.sent, points=[points])))
        wait_until(lambda: self.acknowledged >= self.sent, 30, f"batch {self.sent} to be acknowledged")


class LimitsTest(EndToEnd):
    def seconds_of_cpu(self, daemon):
        fields = pathlib.Path(f"/proc/{daemon.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def refused(self, daemon):
        return float(re.search(r"^curvecast_refused_connections_total (\S+)$", daemon.text("/metrics"), re.M).group(1))

    def flood(self, address, count):
        host, port = address.split(":")
        sockets = []
        for _ in range(count):
            sockets.append(socket.create_connection((host, int(port)), timeout=10))
            self.addCleanup(sockets[-1].close)
        return sockets

    def test_without_files_connections_are_turned_away_and_taken_again_when_there_are_some(self):
        files = 80
        daemon = self.daemon()
        daemon.preexec = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        daemon.start()
        stream = Stream(daemon, "before")
        stream.send()
        flood = self.flood(daemon.grpc, 2 * files)
        wait_until(lambda: self.refused(daemon) > 0, 20, "connections to be turned away")
        said = f"of the {files} files that the daemon may open are in use"
        wait_until(lambda: said in daemon.log.read_text(), 5, "a line about it")
        self.assertLessEqual(daemon.log.read_text().count(said), 2, "once in ten seconds")
        cpu = self.seconds_of_cpu(daemon)
        time.sleep(1)  # What it does with nothing to do is what is asked.
        self.assertLess(self.seconds_of_cpu(daemon) - cpu, 0.3, "it must not run in circles")
        stream.send()
        self.assertEqual(daemon.readiness(), 200)
        for connection in flood:
            connection.close()
        after = Stream(daemon, "after")
        after.send()
        stream.send()
        daemon.kill()
        daemon.preexec = None
        daemon.start()
        for run_id, batches in (("before", 3), ("after", 1)):
            self.assertEqual(metric(daemon.run("limits", run_id), "train/loss")["points"], batches * POINTS)

    def test_http_that_takes_all_files_harms_no_stream(self):
        files = 80
        daemon = self.daemon()
        daemon.preexec = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        daemon.start()
        stream = Stream(daemon, "a")
        stream.send()
        flood = []
        host, port = daemon.http.split(":")
        for _ in range(2 * files):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex((host, int(port)))
            flood.append(connection)
        for _ in range(5):
            stream.send()
        for connection in flood:
            connection.close()
        wait_until(lambda: daemon.readiness() == 200, 20, "HTTP to answer again")
        Stream(daemon, "b").send()

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_a_folder_of_somebody_else_is_named(self):
        self.folder.chmod(0o755)
        daemon = self.daemon().start()
        Stream(daemon, "a").send()
        daemon.stop()

        def start_as_nobody():
            command = [(BIN / "curvecastd").resolve(), "--data-dir", daemon.store, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
            try:
                return subprocess.run(command, capture_output=True, text=True, timeout=20, user=NOBODY, group=NOBODY, cwd="/")
            except PermissionError:
                self.skipTest("the build is out of reach for another user")

        for mode in (0o700, 0o755):  # Out of sight, and only to be read.
            daemon.store.chmod(mode)
            refused = start_as_nobody()
            self.assertEqual(refused.returncode, 1, refused.stderr)
            self.assertIn("Permission denied", refused.stderr)
            self.assertIn(str(daemon.store), refused.stderr)
        daemon.start()
        self.assertEqual(metric(daemon.run("limits", "a"), "train/loss")["points"], POINTS)


if __name__ == "__main__":
    unittest.main()
