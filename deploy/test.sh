#!/bin/sh
# Builds curvecast and runs its fast and end-to-end tests, from a bare Debian 12 on: sh deploy/test.sh
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
sh "$top/deploy/install_packages.sh"
cd "$top"
cmake --preset dev
cmake --build --preset dev
ctest --test-dir build/dev -L 'fast|e2e' -LE slow --output-on-failure -j "$(nproc)"
