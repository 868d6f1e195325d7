#!/bin/sh
# How well runs are forecast by a prior that has not seen their source, with and without a history:
#   sh tests/bench/leave_one_out.sh build/release/bin/curvecast RUNS "SOURCE..." "APART..."
# RUNS holds a folder of run files for each source. Each SOURCE is left out of a prior that is trained on all the others
# (those of another sort go by --apart), and then forecast. A source may be split by size: "marin>marin/300M" leaves out
# and forecasts only the runs of families that start with marin/300M, the others of marin are trained on and leant on.
set -eu
curvecast=$1 runs=$2 sources=$3 apart=${4:-}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

apart_options=""
for a in $apart; do apart_options="$apart_options --apart $a"; done

for source in $sources; do
  project=${source%%>*}
  rm -rf "$work/held" "$work/seen"
  mkdir "$work/held" "$work/seen"
  for file in "$runs/$project"/*.jsonl; do
    family=${source#"$project"}
    if [ -z "$family" ] || head -n 1 "$file" | grep -q "\"family\":\"${family#>}"; then
      ln -s "$file" "$work/held/"
    else
      ln -s "$file" "$work/seen/"
    fi
  done
  others=""
  for other in $(for s in $sources $apart; do echo "${s%%>*}"; done | sort -u); do
    [ "$other" = "$project" ] || others="$others $runs/$other"
  done
  past=""
  if [ -n "$(ls "$work/seen")" ]; then
    others="$others $work/seen"
    past="--history-runs $work/seen"
  fi
  # shellcheck disable=SC2086
  "$curvecast" prior train $apart_options $others -o "$work/prior.txt" 2>"$work/err" || cat "$work/err"
  for history in none project family:10; do
    [ "$history" = none ] && lean="" || lean=$past
    echo "== $source, history $history"
    # shellcheck disable=SC2086
    "$curvecast" backtest --prior "$work/prior.txt" --history "$history" $lean "$work/held" 2>>"$work/err" || cat "$work/err"
  done
done
