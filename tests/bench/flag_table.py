#!/usr/bin/env python3
"""What the watch says of recorded runs whose faults are known.

usage: flag_table.py CURVECAST FOLDER...

Replays the run files below each FOLDER through `CURVECAST flags -o json` and prints a row for each project and each thing that its
runs' labels say of them (`healthy`, `incidents`, as the recorded runs have them): how many runs there are, in how many a flag of
WARNING or CRITICAL was raised, and in how many each kind of these.
"""
import collections
import glob
import json
import os
import subprocess
import sys


def label_of(run):
    labels = run.get("labels", {})
    incidents = labels.get("incidents", "")
    if incidents:
        return "+".join(sorted({i["kind"] for i in json.loads(incidents)}))
    return {"True": "healthy", "False": "faulty"}.get(labels.get("healthy"), "not known")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    curvecast, folders = sys.argv[1], sys.argv[2:]
    runs = {}
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(folder, "**/*.jsonl"), recursive=True)):
            with open(path) as file:
                run = json.loads(file.readline())["run"]
            runs[os.path.realpath(path)] = (run["project"], label_of(run))
    kinds = collections.defaultdict(set)
    replay = subprocess.Popen([curvecast, "flags", "-o", "json", *folders], stdout=subprocess.PIPE, text=True)
    for line in replay.stdout:
        row = json.loads(line)
        if row["flag"]["severity"] in ("WARNING", "CRITICAL"):
            kinds[os.path.realpath(row["file"])].add(row["flag"]["kind"])
    if replay.wait() not in (0, 5):
        sys.exit(f"{curvecast} flags: exit status {replay.returncode}")
    rows = collections.defaultdict(list)
    for path, key in runs.items():
        rows[key].append(kinds.get(path, set()))
    print("| project | its labels say | runs | flagged | in how many of them |\n|---|---|---|---|---|")
    for (project, label), flagged in sorted(rows.items()):
        count = collections.Counter(kind for run in flagged for kind in run)
        said = ", ".join(f"{kind} {n}" for kind, n in count.most_common())
        print(f"| {project} | {label} | {len(flagged)} | {sum(map(bool, flagged))} | {said} |")


main()
