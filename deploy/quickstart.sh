#!/bin/sh
# quickstart.sh [--keep]: curvecast at work, from a bare Debian 12, in one command.
#
# Installs what is missing, builds, starts curvecastd on a fresh temporary store and free ports, and trains a family of small
# language models on this machine: three to the end, then a fourth whose forecast is shown while it trains. At the end: what was
# forecast on the way, and what came. With --keep the daemon stays up to be looked at.
set -eu

keep=
case ${1-} in
  --keep) keep=yes ;;
  '') ;;
  *) echo "usage: sh deploy/quickstart.sh [--keep]" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/.."

sh deploy/prepare.sh release curvecastd curvecast train_lm curvecast_python
bin=build/release/bin
folder=$(mktemp -d "${TMPDIR:-/tmp}/curvecast.XXXXXX")
daemon=
jobs=

finish() {
  status=$?
  trap - EXIT INT TERM
  # shellcheck disable=SC2086  # One word for each process.
  [ -z "$jobs" ] || kill $jobs 2>/dev/null || true
  if [ -n "$daemon" ] && { [ -z "$keep" ] || [ "$status" -ne 0 ]; }; then
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
    [ "$status" -eq 0 ] || { echo "the daemon's log:"; cat "$folder/curvecastd.log"; } >&2
    rm -rf "$folder"
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_daemon() {
  # setsid: a --keep daemon outlives this terminal.
  setsid "$bin/curvecastd" --data-dir "$folder/store" --grpc 127.0.0.1:0 --http 127.0.0.1:0 \
    </dev/null >"$folder/curvecastd.log" 2>&1 &
  daemon=$!
  for _ in $(seq 100); do
    grep -q 'ready with' "$folder/curvecastd.log" 2>/dev/null && break
    kill -0 "$daemon" 2>/dev/null || { echo "curvecastd did not start" >&2; exit 1; }
    sleep 0.1
  done
  ports=$(sed -n 's/.*gRPC on port \([0-9]*\), HTTP on port \([0-9]*\).*/\1 \2/p' "$folder/curvecastd.log")
  grpc=127.0.0.1:${ports% *}
  http=127.0.0.1:${ports#* }
  [ -n "$ports" ] || { echo "curvecastd said no ports" >&2; exit 1; }
}

# train SEED: one run, in the background. The text is Eigen's source, that the build has installed: longer than what a run reads,
# so that nothing is read twice, and the same on every machine.
train() {
  text=/usr/include/eigen3
  [ -d "$text" ] || text=.
  "$bin/train_lm" --address "$grpc" --project quickstart --run-id "seed$1" --seed "$1" --text "$text" \
    --write-run-file "$folder/seed$1.jsonl" >"$folder/seed$1.log" 2>&1 &
  newest=$!
  jobs="$jobs $newest"
}

await() {
  for job in "$@"; do
    wait "$job" || { echo "a training job failed:" >&2; tail -n 3 "$folder"/seed*.log >&2; exit 1; }
  done
}

start_daemon
echo
echo "curvecastd is up: gRPC on $grpc, HTTP on $http."
echo "Training two small language models, then a third of the same family ..."
train 1
first=$newest
train 2
await "$first" "$newest"
train 3
await "$newest"
echo "... and a fourth. While it trains, where it will end (the median, and the interval that should hold the truth nine times in ten):"
echo
train 4
python3 deploy/forecasts.py follow "$http" quickstart/seed4
await "$newest"
jobs=
echo
"$bin/curvecast" show quickstart/seed4 --address "$grpc"
echo
python3 deploy/forecasts.py table "$http" "$folder"/seed*.jsonl
echo
if [ -n "$keep" ]; then
  echo "The daemon stays up (process $daemon, store in $folder). Look at it with"
else
  echo "The daemon is stopped now; with --keep it stays up, and you look at it with"
fi
cat <<END
  $bin/curvecast runs --address $grpc
  $bin/curvecast show quickstart/seed4 --address $grpc
  curl http://$http/metrics                            for Prometheus
  curl http://$http/api/v1/runs/quickstart/seed4       the same as JSON
END
[ -z "$keep" ] || echo "and end it with: kill $daemon"
