"""Bytes that no client sends: noise, and sound HTTP/2, protobuf and HTTP with some of it changed, on both ports. The daemon lives, keeps what it has and takes more."""

import os
import random
import socket
import threading
import unittest

import grpc
from curvecast.v1 import ingest_pb2, ingest_pb2_grpc, run_pb2
from daemon_under_test import EndToEnd, metric, wait_until

SEED = int(os.environ.get("CURVECAST_BYTES_SEED", "1"))
ATTACKS = int(os.environ.get("CURVECAST_BYTES_ATTACKS", "300"))  # On each port.
HTTP = [
    b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /api/v1/runs?page_size=3&page_token=abc HTTP/1.1\r\nHost: a\r\nRange: bytes=0-10\r\n\r\n",
    b"GET /api/v1/runs/p/r/what-if?total_steps=10&decay=linear HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"POST /api/v1/runs HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
]


def requests(run_id, batches):
    run = run_pb2.Run(project="p", run_id=run_id, total_steps=1000)
    yield ingest_pb2.PushRequest(channel=1, open=ingest_pb2.Open(run=run, incarnation=1))
    for sequence in range(1, batches + 1):
        points = run_pb2.Points(metric="train/loss", step=range(10 * sequence, 10 * sequence + 10), value=[1.5] * 10)
        yield ingest_pb2.PushRequest(channel=1, batch=ingest_pb2.Batch(sequence=sequence, points=[points]))


def record(daemon):
    """What a real client sends on its connection: it is played through a socket that looks on."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    sent = []

    def pump(source, sink, keep):
        try:
            while data := source.recv(65536):
                if keep:
                    sent.append(data)
                sink.sendall(data)
        except OSError:
            pass

    def play():
        client, _ = listener.accept()
        host, to = daemon.grpc.split(":")
        server = socket.create_connection((host, int(to)))
        threading.Thread(target=pump, args=(server, client, False), daemon=True).start()
        pump(client, server, True)
        server.close()

    player = threading.Thread(target=play, daemon=True)
    player.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        list(ingest_pb2_grpc.IngestServiceStub(channel).Push(requests("recorded", 5), timeout=20))
    listener.close()
    player.join(10)
    return b"".join(sent)


def mutated(data, chance):
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 3, 30])):
        at = chance.randrange(len(data))
        what = chance.randrange(4)
        if what == 0:
            data[at] = chance.randrange(256)
        elif what == 1:
            del data[at : at + chance.randrange(1, 50)]
        elif what == 2:
            data[at:at] = chance.randbytes(chance.randrange(1, 50))
        else:
            end = chance.randrange(at, min(len(data), at + 500) + 1)
            data[at:at] = data[at:end]
        if not data:
            return bytes(1)
    return bytes(data)


class HostileBytesTest(EndToEnd):
    def attack(self, address, data, chance):
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.settimeout(0.02)
            try:
                while data:
                    size = chance.randrange(1, len(data) + 1)
                    connection.sendall(data[:size])
                    data = data[size:]
                connection.recv(4096)
            except OSError:
                pass  # It hung up, or says nothing.

    def test_the_daemon_lives_through_bytes_that_no_client_sends(self):
        chance = random.Random(SEED)
        daemon = self.daemon().start()
        recorded = record(daemon)
        self.assertGreater(len(recorded), 200)
        for i in range(ATTACKS):
            kind = i % 4
            if kind == 0:
                data = chance.randbytes(chance.randrange(1, 5000))
            elif kind == 1:  # Past the greeting, so that it is taken for HTTP/2.
                data = recorded[:24] + chance.randbytes(chance.randrange(1, 5000))
            else:
                data = recorded[:24] + mutated(recorded[24:], chance)
            self.attack(daemon.grpc, data, chance)
            self.attack(daemon.http, mutated(chance.choice(HTTP), chance) if i % 3 else data, chance)
            self.assertIsNone(daemon.process.poll(), f"attack {i} of seed {SEED}:\n{daemon.log.read_text()[-2000:]}")
        self.assertTrue(daemon.run("p", "recorded"))
        with grpc.insecure_channel(daemon.grpc) as channel:
            answers = list(ingest_pb2_grpc.IngestServiceStub(channel).Push(requests("after", 5), timeout=20))
        self.assertEqual(answers[-1].ack.sequence, 5)
        self.assertEqual(metric(daemon.run("p", "after"), "train/loss")["points"], 50)
        wait_until(lambda: daemon.readiness() == 200, 10, "HTTP")
        self.assertEqual(daemon.stop(), 0)
        daemon.start()
        self.assertEqual(metric(daemon.run("p", "after"), "train/loss")["points"], 50)


if __name__ == "__main__":
    unittest.main()
