#!/bin/sh
# prepare.sh PRESET [TARGET...]: from a bare Debian 12 to a built tree. Installs what is missing, configures the preset, and builds
# the targets (default: all).
set -eu

[ $# -ge 1 ] || { echo "usage: sh deploy/prepare.sh PRESET [TARGET...]" >&2; exit 2; }
preset=$1
shift
cd "$(dirname "$0")/.."
sh deploy/install_packages.sh

mkdir -p build
log=build/$preset-configure.log
cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }

# A file that sees gRPC takes the compiler up to a gigabyte: no more jobs at a time than the memory bears.
jobs=$(nproc)
gigabytes=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
[ "$gigabytes" -ge "$jobs" ] || jobs=$((gigabytes > 1 ? gigabytes : 1))
[ $# -eq 0 ] || set -- --target "$@"
cmake --build --preset "$preset" -j "$jobs" "$@"
