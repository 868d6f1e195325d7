#!/usr/bin/python3
"""What curvecastd forecasts, for the quickstart.

    forecasts.py follow HTTP PROJECT/RUN     a line for every twentieth of the run, while it trains
    forecasts.py table HTTP RUN_FILE...      what was forecast at 20, 50 and 80 %, beside what came

HTTP is the host:port of the daemon's HTTP side.
"""

import json
import sys
import time
import urllib.error
import urllib.request

MARKS = (0.2, 0.5, 0.8)


def get_run(http, name):
    """GetRun as JSON; None if there is no such run yet."""
    try:
        return json.load(urllib.request.urlopen(f"http://{http}/api/v1/runs/{name}", timeout=10))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def say(forecast):
    if forecast.get("status") != "OK":
        return "no forecast yet: " + forecast.get("reason", "no points")
    q = forecast["quantiles"]
    return f"{q['0.5']:.3f}  [{q['0.05']:.3f}, {q['0.95']:.3f}]"


def follow(http, name):
    print(f"{'progress':>8}  {'step':>6}  {'loss now':>8}  forecast of the final loss")
    shown = 0  # Twentieths.
    last_news = time.monotonic()
    step = None
    while True:
        run = (get_run(http, name) or {}).get("run", {})
        if run.get("step") != step:
            step, last_news = run.get("step"), time.monotonic()
        if time.monotonic() - last_news > 60:
            sys.exit(f"{name} has reported nothing for a minute")
        forecast = run.get("forecast", {})
        progress = forecast.get("progress", 0)
        over = run.get("state", "RUNNING") != "RUNNING" and forecast.get("step") == step
        twentieths = int(progress * 20 + 1e-9)
        if twentieths > shown:
            shown = twentieths
            print(f"{progress:8.0%}  {forecast['step']:>6}  {run['value']:8.3f}  {say(forecast)}", flush=True)
        if over:
            return
        time.sleep(0.1)


def read_run_file(path):
    """The run as declared, and its objective's {step: value}."""
    with open(path) as lines:
        lines = [json.loads(line) for line in lines]
    run = lines[0]["run"]
    objective = run.get("objective", "train/loss")
    points = [line["points"] for line in lines if line.get("points", {}).get("metric") == objective]
    return run, {int(s): float(v) for p in points for s, v in zip(p["step"], p["value"])}


def reached(points, total_steps):
    """The mean over the last hundredth of the plan: one point of a noisy curve is no end."""
    end = [value for step, value in points.items() if step > 0.99 * total_steps]
    return sum(end) / len(end)


def at_mark(history, mark):
    """The newest forecast that was made, live, before the run was further than `mark`."""
    made = [f for f in history if f.get("progress", 0) <= mark + 1e-9]
    return made[-1] if made else {}


def table(http, files):
    print("Forecasts of the final train/loss as they were made on the way: median [90 % interval] and its error")
    print(f"{'run':8}" + "".join(f"  {f'at {mark:.0%}':^30}" for mark in MARKS) + "  reached")
    held = made = 0
    for path in files:
        run, points = read_run_file(path)
        truth = reached(points, int(run["totalSteps"]))
        history = get_run(http, f"{run['project']}/{run['runId']}").get("history", [])
        cells = []
        for mark in MARKS:
            forecast = at_mark(history, mark)
            if forecast.get("status") != "OK":
                cells.append(f"{'-':^30}")
                continue
            q = forecast["quantiles"]
            inside = q["0.05"] <= truth <= q["0.95"]
            made += 1
            held += inside
            cells.append(f"{say(forecast)} {q['0.5'] / truth - 1:+6.1%}{' ' if inside else '!'}")
        print(f"{run['runId']:8}" + "".join(f"  {cell:30}" for cell in cells) + f"  {truth:.3f}")
    print(f"reached: the mean of train/loss over the last 1 % of the run. {held} of {made} intervals hold it (! marks the others).")


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "follow":
        follow(sys.argv[2], sys.argv[3])
    elif len(sys.argv) >= 4 and sys.argv[1] == "table":
        table(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
