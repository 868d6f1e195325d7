"""A run whose loss becomes NaN: one flag, once, over a kill; acknowledged, it leaves /metrics and stays on record."""

import math
import unittest

import curvecast
import grpc
from daemon_under_test import EndToEnd, wait_until


def varint(number):
    return bytes([number]) if number < 128 else bytes([number % 128 | 128]) + varint(number >> 7)


def text(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value.encode()


# Spoken in bytes, so that this test holds the numbers of the fields too.
def acknowledge_request(project, run_id, number, by, note):
    return text(1, project) + text(2, run_id) + b"\x18" + varint(number) + text(4, by) + text(5, note)


class FlagsTest(EndToEnd):
    def flags(self, daemon, query=""):
        return daemon.json(f"/api/v1/runs/p/r/flags{query}").get("flags", [])

    def series(self, daemon):
        return [line for line in daemon.text("/metrics").splitlines() if line.startswith("curvecast_flag{")]

    def acknowledge(self, daemon):
        with grpc.insecure_channel(daemon.grpc) as channel:
            call = channel.unary_unary("/curvecast.v1.QueryService/AcknowledgeFlag")
            call(acknowledge_request("p", "r", 1, "ada", "bad shard"), timeout=10)

    def test_a_nan_is_one_critical_flag_once_over_a_kill_until_it_is_acknowledged(self):
        daemon = self.daemon().start()
        reporter = curvecast.Reporter("p", "r", total_steps=1000, address=daemon.grpc, flush_seconds=0.02)
        for step in range(1, 101):
            reporter.log(step, {"train/loss": 2 + 1 / step if step < 90 else math.nan})
        (flag,) = wait_until(lambda: daemon.run("p", "r") and self.flags(daemon), 10, "the flag")
        flag = flag["flag"]
        self.assertEqual((flag["kind"], flag["severity"], flag["number"]), ("NON_FINITE", "CRITICAL", "1"))
        self.assertEqual(flag["beganStep"], "90")
        self.assertTrue(flag["sentence"])
        (series,) = self.series(daemon)
        self.assertIn('kind="NON_FINITE",severity="CRITICAL"} 1', series)

        daemon.kill()
        daemon.start()
        again = self.flags(daemon)
        self.assertEqual([f["flag"]["raisedAt"] for f in again], [flag["raisedAt"]], "the same flag, and no other")
        self.assertEqual(len(self.series(daemon)), 1)
        for step in range(101, 111):
            reporter.log(step, {"train/loss": math.nan})
        wait_until(lambda: int(daemon.run("p", "r")["run"]["step"]) == 110, 20, "the rest of the points")
        self.assertEqual(len(self.flags(daemon)), 1, "once")

        self.acknowledge(daemon)
        self.assertEqual(self.series(daemon), [])
        self.assertEqual(self.flags(daemon, "?active_only=true"), [])
        self.assertNotIn("flags", daemon.run("p", "r")["run"])
        (kept,) = self.flags(daemon)
        self.assertEqual((kept["flag"]["acknowledgedBy"], kept["flag"]["note"]), ("ada", "bad shard"))
        daemon.kill()
        daemon.start()
        self.assertEqual(self.series(daemon), [], "and it stays so")
        self.assertEqual(len(self.flags(daemon)), 1)
        reporter.finish()


if __name__ == "__main__":
    unittest.main()
