#!/usr/bin/env python3
"""What others make of the load of load_ingest: Prometheus's and VictoriaMetrics's remote write, PostgreSQL's COPY. README.md says what each promises.

    python3 tests/bench/peers_ingest.py [--streams 16] [--batch 128] [--metrics 1] [--seconds 8]

Starts each server that is installed, with its defaults, on a fresh store in the working directory; the others are skipped, in words.
Each stream sends its batches one after the other, each behind the answer to the last. The client is Python and slower than load_ingest: compare the
server's CPU a point, and take points a second as what was reached at least.
"""

import argparse
import http.client
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process):
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None:
                raise RuntimeError("the server ended")
            time.sleep(0.1)
    raise RuntimeError("the server does not listen")


def seconds_of_cpu(pid):
    """Of a process and what it started, dead children included."""
    total = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        fields = text.rsplit(")", 1)[1].split()
        if int(stat.parent.name) == pid or int(fields[1]) == pid:
            total += sum(map(int, fields[11:13])) + (sum(map(int, fields[13:15])) if int(stat.parent.name) == pid else 0)
    return total / os.sysconf("SC_CLK_TCK")


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def snappy(data):
    """Snappy's block format with literals alone: sound, and not compressed."""
    out = bytearray(varint(len(data)))
    for at in range(0, len(data), 60):
        piece = data[at : at + 60]
        out.append((len(piece) - 1) << 2)
        out += piece
    return bytes(out)


def write_request(run, metrics, first, steps, start_ms):
    """A WriteRequest of remote write 1.0, a sample a millisecond for each series."""
    request = b""
    for m in range(metrics):
        labels = b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in (("__name__", f"metric{m}"), ("run", run)))
        samples = b"".join(
            field(2, b"\x09" + struct.pack("<d", 2 + 100 / (step + 50)) + b"\x10" + varint(start_ms + step))
            for step in range(first, first + steps)
        )
        request += field(1, labels + samples)
    return snappy(request)


class RemoteWriteStream:
    def __init__(self, port, path, number, flags):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.path, self.run, self.flags, self.next = path, f"run{number}", flags, 0
        self.start_ms = int(time.time() * 1000) - 3000_000

    def send(self):
        steps = self.flags.batch // self.flags.metrics
        body = write_request(self.run, self.flags.metrics, self.next, steps, self.start_ms)
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0"}
        self.connection.request("POST", self.path, body, headers)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{answer.status} {said[:200]!r}")
        self.next += steps


class CopyStream:
    """A psql that is fed one COPY after the other; each is a transaction."""

    def __init__(self, port, folder, number, flags):
        self.run, self.flags, self.next = f"run{number}", flags, 0
        command = ["psql", "-q", "-h", folder, "-p", str(port), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "postgres"]
        self.psql = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self):
        steps = self.flags.batch // self.flags.metrics
        lines = [
            f"{self.run}\tmetric{m}\t{step}\t{2 + 100 / (step + 50)}\n"
            for m in range(self.flags.metrics)
            for step in range(self.next, self.next + steps)
        ]
        self.psql.stdin.write(("COPY point FROM STDIN;\n" + "".join(lines) + "\\.\n\\echo done\n").encode())
        self.psql.stdin.flush()
        if self.psql.stdout.readline() != b"done\n":
            raise RuntimeError("COPY failed")
        self.next += steps


def measure(name, pid, streams, flags):
    acknowledged, times, failed = [0] * len(streams), [], []

    def work(i):
        try:
            while time.monotonic() < end:
                start = time.monotonic()
                streams[i].send()
                times.append(time.monotonic() - start)
                acknowledged[i] += flags.batch
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            failed.append(error)

    cpu, start = seconds_of_cpu(pid), time.monotonic()
    end = start + flags.seconds
    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(streams))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - start
    if failed:
        raise RuntimeError(str(failed[0]))
    points = sum(acknowledged)
    cpu = seconds_of_cpu(pid) - cpu
    times.sort()
    print(
        f"{name}: {points / seconds:.0f} points/s; acknowledged after: p50 {times[len(times) // 2] * 1e3:.1f} ms, "
        f"p99 {times[len(times) * 99 // 100] * 1e3:.1f} ms; {cpu / points * 1e6:.2f} us CPU a point, {cpu / seconds:.2f} cores",
        flush=True,
    )


def remote_write(name, program, arguments, path, flags, folder):
    if shutil.which(program) is None:
        return print(f"{name}: skipped, {program} is not installed")
    port = free_port()
    command = [program, *[a.format(folder=folder, port=port) for a in arguments]]
    with open(os.path.join(folder, "log"), "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        wait_for_port(port, process)
        measure(name, process.pid, [RemoteWriteStream(port, path, i, flags) for i in range(flags.streams)], flags)
    finally:
        process.kill()
        process.wait()


def postgresql(name, flags, folder):
    binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries or shutil.which("psql") is None:
        return print(f"{name}: skipped, postgresql is not installed")
    user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder, "postgres")
    data, port = os.path.join(folder, "data"), free_port()
    subprocess.run([binaries[-1] / "initdb", "-D", data, "-U", "postgres", "-A", "trust"], check=True, capture_output=True, cwd="/", **user)
    command = [binaries[-1] / "postgres", "-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **user)
    streams = []
    try:
        wait_for_port(port, process)
        table = "CREATE TABLE point(run text, metric text, step bigint, value double precision)"
        psql = ["psql", "-q", "-h", folder, "-p", str(port), "-U", "postgres", "-c", table, "postgres"]
        for _ in range(50):  # It listens before it takes anybody.
            if subprocess.run(psql, capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        streams = [CopyStream(port, folder, i, flags) for i in range(flags.streams)]
        measure(name, process.pid, streams, flags)
    finally:
        for stream in streams:
            stream.psql.kill()
            stream.psql.wait()
        process.send_signal(signal.SIGINT)
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--metrics", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8)
    flags = parser.parse_args()
    prometheus = ["--config.file={folder}/none.yml", "--storage.tsdb.path={folder}/data", "--web.enable-remote-write-receiver", "--web.listen-address=127.0.0.1:{port}"]
    victoria = ["-storageDataPath={folder}/data", "-httpListenAddr=127.0.0.1:{port}"]
    for name, start in (
        ("Prometheus remote write", lambda f: remote_write("Prometheus remote write", "prometheus", prometheus, "/api/v1/write", flags, f)),
        ("VictoriaMetrics remote write", lambda f: remote_write("VictoriaMetrics remote write", "victoria-metrics", victoria, "/api/v1/write", flags, f)),
        ("PostgreSQL COPY", lambda f: postgresql("PostgreSQL COPY", flags, f)),
    ):
        folder = tempfile.mkdtemp(prefix="peers_ingest_", dir=os.getcwd())
        os.chmod(folder, 0o755)
        pathlib.Path(folder, "none.yml").write_text("")
        try:
            start(folder)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print(f"{name}: failed: {error}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
