"""Who may include whom. The picture with its reasons stands in the README of the repository."""

import os
import re
from typing import NamedTuple

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)
STANDARD = re.compile(r"^[a-z_0-9]+$")
POSIX = re.compile(r"^((sys|arpa|netinet)/[a-z_]+|unistd|fcntl|poll|pthread|signal|netdb|termios)\.h$")
# Standard headers that stand for the world outside: the core has no threads, files, clock, chance or environment.
WORLDLY = {"atomic", "chrono", "condition_variable", "filesystem", "fstream", "future", "iostream", "mutex", "random",
           "shared_mutex", "thread", "stop_token", "semaphore", "latch", "barrier", "ctime", "csignal"}

# From left to right: each room of the core sees those before it.
CORE_ORDER = ["base", "curve", "schedule", "law", "family", "calibrate", "watch", "decide", "engine", "ports"]
CORE_OUTSIDE = ["absl/", "Eigen/", "unsupported/Eigen/", "fmt/"]


class Room(NamedTuple):
    rooms: list  # Folders of ours that it may include from, besides itself; "core" is all of the core.
    outside: list  # Prefixes of headers of others.
    protos: list  # Which of our generated messages.
    grpc: bool = False  # gRPC, and generated services.
    posix: bool = False


BASICS = ["absl/", "fmt/"]
PROTOBUF = "google/protobuf/"
ROOMS = {
    "daemon/convert": Room(["core"], BASICS + [PROTOBUF], ["run", "flag", "query"]),
    "daemon/store": Room(["core", "daemon/convert"], BASICS + [PROTOBUF, "sqlite3.h", "zlib.h"], ["run", "journal"], posix=True),
    "daemon/loop": Room(["core"], BASICS + ["prometheus/"], []),
    "daemon/config": Room(["core/base"], BASICS + [PROTOBUF, "yaml-cpp/"], ["config"]),
    "daemon/query": Room(["core", "daemon/convert", "daemon/loop"], BASICS + [PROTOBUF], ["run", "flag", "query"]),
    "daemon/rpc": Room(["core", "daemon/convert", "daemon/loop", "daemon/os", "daemon/query"], BASICS + [PROTOBUF, "spdlog/"],
                       ["run", "ingest", "query"], grpc=True),
    "daemon/http": Room(["core", "daemon/convert", "daemon/loop", "daemon/query"],
                        BASICS + [PROTOBUF, "prometheus/", "httplib.h", "spdlog/"], ["run", "query"]),
    "daemon/os": Room(["core/base", "core/ports"], BASICS, [], posix=True),
    "daemon": Room(["core", "daemon"], BASICS + ["spdlog/", "CLI/", "prometheus/"], ["config"]),
    "client/cpp": Room([], BASICS + [PROTOBUF], ["run", "ingest"], grpc=True, posix=True),
    "client/import": Room([], BASICS + [PROTOBUF], ["run"]),
    "client/cli": Room(["core", "daemon/convert", "client/cpp", "client/import"], BASICS + [PROTOBUF, "CLI/"],
                       ["run", "ingest", "query"], grpc=True, posix=True),
    "client/examples": Room(["client/cpp"], BASICS + [PROTOBUF, "Eigen/", "CLI/"], ["run"], posix=True),
}
# These run under ThreadSanitizer, which Debian's gRPC does not stand: not even through another header.
NEVER_GRPC = ["core", "daemon/store", "daemon/loop"]


def room_of(path):
    """core/curve/curve.h is in core/curve, daemon/main.cc in daemon, client/examples/train_lm/main.cc in client/examples."""
    return "/".join(os.path.dirname(path).split("/")[:2])


def rules_of(room):
    if room.startswith("core/"):
        name = room.split("/")[1]
        if name not in CORE_ORDER:
            return None
        return Room(["core/" + r for r in CORE_ORDER[:CORE_ORDER.index(name)]], CORE_OUTSIDE, [])
    return ROOMS.get(room)


def is_grpc(header):
    return header.startswith(("grpc", "grpcpp/")) or header.endswith(".grpc.pb.h")


def is_under(header, folder):
    return header.startswith(folder + "/") and (folder != "daemon" or header.count("/") <= 2)


def check_include(room, rules, header):
    """Why `room` must not include `header`; None if it may."""
    if is_grpc(header):
        if not rules.grpc:
            return "gRPC is for daemon/rpc and the clients"
        header = header.replace(".grpc.pb.h", ".pb.h")
    if header.startswith("curvecast/v1/"):
        name = header.split("/")[2].split(".")[0]
        return None if name in rules.protos else f"{room} may see the messages {rules.protos or 'of no .proto'}"
    if header.startswith(("core/", "daemon/", "client/")):
        if header.startswith(room + "/") or any(is_under(header, r) for r in rules.rooms):
            return None
        return f"{room} may see {rules.rooms or 'no other room'}"
    if STANDARD.match(header):
        worldly = room.startswith("core/") and header in WORLDLY
        return "core has no threads, files, clock, chance or environment: take it through core/ports" if worldly else None
    if is_grpc(header) or header.startswith(tuple(rules.outside)) or (rules.posix and POSIX.match(header)):
        return None
    return f"{room} may see of others {rules.outside}"


def reaches_grpc(path, includes, seen):
    """The chain of our own files from `path` to a gRPC header; None if there is none."""
    for header in includes.get(path, []):
        if is_grpc(header):
            return [path, header]
        if header in includes and header not in seen:
            seen.add(header)
            chain = reaches_grpc(header, includes, seen)
            if chain:
                return [path] + chain
    return None


def check(files):
    """`files`: text by path. Yields "path: what is wrong"."""
    sources = {p: t for p, t in files.items() if p.endswith((".cc", ".h")) and p.startswith(("core/", "daemon/", "client/"))}
    includes = {path: INCLUDE.findall(text) for path, text in sources.items()}
    for path, headers in sorted(includes.items()):
        room = room_of(path)
        rules = rules_of(room)
        if rules is None:
            yield f"{path}: {room} is a room that tests/lint/includes.py does not know: say there whom it may include"
            continue
        for header in headers:
            why = check_include(room, rules, header)
            if why:
                yield f"{path}: must not include {header}: {why}"
            if header.startswith(("core/", "daemon/", "client/")) and header not in files:
                yield f"{path}: includes {header}, which is not there"
        if room.startswith(tuple(NEVER_GRPC)):
            chain = reaches_grpc(path, includes, {path})
            if chain:
                yield f"{path}: must not reach gRPC: {' -> '.join(chain)}"
