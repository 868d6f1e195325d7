#!/usr/bin/env python3
"""Runs the load measurements one after the other (about five minutes) and prints them as the Markdown table of daemon/README.md.

    python3 tests/bench/load_table.py [--bin build/release/bin] [--seconds 8] [--live-seconds 40]

Each daemon's store is made in the working directory, so on its disk. What goes on is told on stderr.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

LOADS = [  # Arguments of load_ingest, and whether half of what they reach is measured too.
    (["--streams", "64", "--batch", "128"], True),
    (["--streams", "64", "--batch", "128", "--metrics", "8"], True),
    (["--streams", "1000", "--batch", "128"], False),
    (["--streams", "1000", "--batch", "128", "--metrics", "8"], True),
]
LIVES = [["--runs", "10000", "--every", "10"], ["--runs", "10000", "--every", "2"]]  # Arguments of live_runs.


def run(program, arguments):
    print(f"{program.name} {' '.join(arguments)}", file=sys.stderr, flush=True)
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{program.name} {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def number(pattern, text):
    return re.search(pattern, text).group(1)


def load_row(program, arguments):
    text = run(program, arguments)
    points = int(number(r"^(\d+) points/s", text))
    cells = [
        f"`load_ingest {' '.join(arguments)}`",
        f"{points / 1e6:.2f} million",
        f"{number('p50 ([0-9.]+) ms', text)} / {number('p99 ([0-9.]+) ms', text)} / {number('p99.9 ([0-9.]+) ms', text)} ms",
        f"{number('([0-9.]+) us CPU', text)} µs, {number('([0-9.]+) cores', text)} cores",
        f"{number('([0-9.]+) MiB at most', text)} MiB",
        f"{number('ready after ([0-9.]+) s', text)} s",
    ]
    print("| " + " | ".join(cells) + " |", flush=True)
    return points


def live_row(program, arguments):
    text = run(program, arguments)
    scrapes = re.search(r"scrapes of ([0-9.]+) MB: p50 (\d+) ms, p99 (\d+) ms", text)
    acks = re.search(r"acknowledged after: p50 ([0-9.]+) ms, p99 ([0-9.]+) ms", text)
    cells = [
        f"`live_runs {' '.join(arguments)}`",
        number(r"([0-9]+) refits/s", text),
        f"{acks.group(1)} / {acks.group(2)} ms",
        f"{number('([0-9.]+) cores', text)} cores",
        f"{number('([0-9.]+) KiB a run', text)} KiB",
        f"{scrapes.group(2)} / {scrapes.group(3)} ms, {scrapes.group(1)} MB",
    ]
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
    parser.add_argument("--seconds", default="8")
    parser.add_argument("--live-seconds", default="40")
    flags = parser.parse_args()
    print(f"{os.cpu_count()} cores, load average before {os.getloadavg()[0]:.1f}\n")
    print("| command | points/s durable | acknowledged: p50 / p99 / p99.9 | daemon's CPU a point, and in all | memory at most | ready after SIGKILL |")
    print("|---|---|---|---|---|---|")
    for arguments, half in LOADS:
        points = load_row(flags.bin / "load_ingest", [*arguments, "--seconds", flags.seconds])
        if half:
            load_row(flags.bin / "load_ingest", [*arguments, "--seconds", flags.seconds, "--rate", str(points // 2)])
    print("\n| command | refits/s | acknowledged: p50 / p99 | daemon's CPU | memory a run | scrape: p50 / p99 |")
    print("|---|---|---|---|---|---|")
    for arguments in LIVES:
        live_row(flags.bin / "live_runs", [*arguments, "--seconds", flags.live_seconds])


if __name__ == "__main__":
    main()
