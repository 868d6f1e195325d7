#!/bin/sh
# Installs what deploy/packages.txt names and is missing; says nothing if nothing is. For Debian 12.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "curvecast: this is no Debian; install what corresponds to $here/packages.txt" >&2
  exit 0
fi

missing=
for package in $(sed 's/#.*//' "$here/packages.txt"); do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "curvecast: some packages are missing, and only root may install them. As root:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends$missing" >&2
    exit 1
  fi
  as_root=sudo
fi
echo "curvecast: installing$missing"
$as_root apt-get update -q
# shellcheck disable=SC2086  # One word each.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
