#!/bin/sh
# Builds curvecast and runs its fast and end-to-end tests, from a bare Debian 12 on: sh deploy/test.sh
set -eu
cd "$(dirname "$0")/.."
sh deploy/prepare.sh dev
ctest --test-dir build/dev -L 'fast|e2e' -LE slow --output-on-failure -j "$(nproc)"
