"""A real Prometheus scrapes the daemon and answers with the daemon's values."""

import json
import shutil
import subprocess
import unittest
import urllib.parse
import urllib.request

from daemon_under_test import EndToEnd, free_port, wait_until

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: curvecast
    static_configs: [{{targets: ["{target}"]}}]
"""


@unittest.skipUnless(shutil.which("prometheus"), "no prometheus: apt-get install prometheus")
class PrometheusTest(EndToEnd):
    def start_prometheus(self, target):
        config = self.folder / "prometheus.yml"
        config.write_text(CONFIG.format(target=target))
        self.address = f"127.0.0.1:{free_port()}"
        with open(self.folder / "prometheus.log", "wb") as log:
            process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={config}",
                    f"--storage.tsdb.path={self.folder / 'tsdb'}",
                    f"--web.listen-address={self.address}",
                ],
                stderr=log,
                stdout=log,
            )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def query(self, expression):
        """The value and labels of an instant query's only answer; None if it has none (yet)."""
        url = f"http://{self.address}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            result = json.load(urllib.request.urlopen(url, timeout=5))["data"]["result"]
        except OSError:
            return None
        if not result:
            return None
        (series,) = result
        return float(series["value"][1]), series["metric"]

    @unittest.skipUnless(shutil.which("promtool"), "no promtool: apt-get install prometheus")
    def test_promtool_has_nothing_to_say_against_our_metrics_but_for_the_quantiles(self):
        daemon = self.daemon().start()
        self.assertEqual(self.job(daemon, "--steps", "200", "--run-id", "r").wait(), 0)
        check = subprocess.run(["promtool", "check", "metrics"], input=daemon.text("/metrics"), text=True, capture_output=True)
        # A forecast's quantiles are no summary: there is nothing to count or to sum.
        said = [line for line in (check.stdout + check.stderr).splitlines() if "curvecast_run_forecast_final_loss" not in line]
        self.assertEqual(said, [])

    def test_prometheus_answers_with_the_values_of_the_daemon(self):
        daemon = self.daemon().start()
        self.start_prometheus(daemon.http)
        job = self.job(daemon, "--steps", "4000", "--run-id", "r", "--family", "small/4000")
        loss = 'curvecast_run_loss{project="train_lm",run="r"}'
        median = 'curvecast_run_forecast_final_loss{project="train_lm",run="r",quantile="0.5"}'
        wait_until(lambda: self.query(loss), 30, "a first loss in Prometheus, while the job trains")
        self.assertEqual(job.wait(), 0)
        run = wait_until(
            lambda: (r := daemon.run("train_lm", "r"))["run"]["state"] == "COMPLETED"
            and r["run"]["forecast"].get("step") == r["run"]["step"]
            and r,
            10,
            "the last forecast",
        )["run"]
        self.assertEqual(run["forecast"]["status"], "OK", run["forecast"].get("reason"))

        def agrees(expression, value):
            answer = self.query(expression)
            return answer and abs(answer[0] - value) <= 1e-9 * abs(value) and answer

        _, labels = wait_until(lambda: agrees(loss, run["value"]), 15, f"the last loss, {run['value']}, in Prometheus")
        self.assertEqual(labels["family"], "small/4000")
        expected = run["forecast"]["quantiles"]["0.5"]
        wait_until(lambda: agrees(median, expected), 15, f"the last forecast, {expected}, in Prometheus")
        self.assertEqual(self.query('curvecast_run_progress_ratio{run="r"}')[0], 1)
        self.assertEqual(self.query('up{job="curvecast"}')[0], 1)


if __name__ == "__main__":
    unittest.main()
