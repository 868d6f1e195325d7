#!/usr/bin/env python3
"""Checks what the compiler does not: who includes whom, sizes, names, stray paths, a page for each room, the format.

Run from anywhere in the repository; prints what is wrong, one a line, and ends with 1 if anything is.
"""

import collections
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import includes  # noqa: E402
import state_fields  # noqa: E402

MAX_LINES = 400
SOURCES = (".cc", ".h", ".py")
BANNED = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "impl", "misc"}
BANNED_TYPE = re.compile(r"\b(?:class|struct)\s+(\w*(?:Manager|Impl|Helper|Helpers|Util|Utils))\b")
# Written so that this file does not find itself.
STRAY = re.compile(r"\.\./" + r"shared\b|(?<![\w.~$}])/(?:home|root|work|Users)" + r"/[\w.]")
# Folders whose children are rooms, and folders that are rooms themselves.
HOUSES = ["core", "daemon", "client"]
ROOMS = ["proto", "deploy", "tests"]


def check_sizes(files):
    for path, text in files.items():
        lines = text.count("\n")
        if path.endswith(SOURCES) and lines > MAX_LINES:
            yield f"{path}: has {lines} lines, over {MAX_LINES}: is it still one noun?"


def check_names(files):
    for path, text in files.items():
        words = {word for part in path.split("/") for word in re.split(r"[_.\-]", part.lower())}
        for word in sorted(words & BANNED):
            yield f"{path}: \"{word}\" says nothing: find the noun"
        if path.endswith((".cc", ".h")):
            for name in BANNED_TYPE.findall(text):
                yield f"{path}: type {name}: find the noun"


def check_paths(files):
    for path, text in files.items():
        if path.startswith(".ci/"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if STRAY.search(line):
                yield f"{path}:{number}: names a path of one machine: {line.strip()[:100]}"


def check_pages(files):
    folders = {os.path.dirname(path) for path in files}
    rooms = {"/".join(folder.split("/")[:2]) for folder in folders if folder.split("/")[0] in HOUSES and "/" in folder}
    rooms |= {room for room in ROOMS if any(folder.split("/")[0] == room for folder in folders)}
    for room in sorted(rooms):
        if room + "/README.md" not in files:
            yield f"{room}: has no README.md"


def check_all(files):
    for check in (includes.check, state_fields.check, check_sizes, check_names, check_paths, check_pages):
        yield from check(files)


def clang_format():
    """The one version whose output we keep to: another formats differently."""
    for name in ("clang-format-14", "clang-format"):
        if shutil.which(name):
            version = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
            if " 14." in version:
                return name
    return None


def check_format(top, files):
    program = clang_format()
    if program is None:
        print("lint: clang-format 14 is not installed: the format is not checked", file=sys.stderr)
        return
    sources = [path for path in files if path.endswith((".cc", ".h"))]
    result = subprocess.run([program, "--dry-run", "-Werror", *sources], cwd=top, capture_output=True, text=True)
    places = collections.Counter(line.split(":")[0] for line in result.stderr.splitlines() if ": error:" in line)
    for path, count in sorted(places.items()):
        yield f"{path}: {count} places are not as {program} writes them; let {program} -i {path} do it"
    if result.returncode != 0 and ": error:" not in result.stderr:
        yield f"{program}: {result.stderr.strip()}"


def read_tracked(top):
    """Text by path, of what git tracks and is text."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=top, capture_output=True, text=True, check=True).stdout
    files = {}
    for path in filter(None, listed.split("\0")):
        try:
            with open(os.path.join(top, path), encoding="utf-8") as file:
                files[path] = file.read()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # A binary file, or one that is about to be deleted.
    return files


def main():
    top = subprocess.run(["git", "rev-parse", "--show-toplevel"], cwd=os.path.dirname(os.path.abspath(__file__)),
                         capture_output=True, text=True, check=True).stdout.strip()
    files = read_tracked(top)
    problems = [*check_all(files), *check_format(top, files)]
    for problem in problems:
        print(problem)
    print(f"lint: {len(files)} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
