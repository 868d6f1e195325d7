import itertools
import logging
import math
import socket
import time
import unittest
import unittest.mock

from curvecast import Reporter
from curvecast.v1 import run_pb2
from fake_daemon import FakeDaemon


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Warnings(logging.Handler):
    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


class ReporterTest(unittest.TestCase):
    def setUp(self):
        self.warnings = Warnings()
        logging.getLogger("curvecast").addHandler(self.warnings)
        self.addCleanup(logging.getLogger("curvecast").removeHandler, self.warnings)

    def daemon(self, **options):
        daemon = FakeDaemon(**options)
        self.addCleanup(daemon.stop)
        return daemon

    def test_everything_that_was_logged_arrives_once_and_in_order(self):
        daemon = self.daemon()
        reporter = Reporter(
            "p", "r", family="f", total_steps=5000, schedule={"peak_lr": 0.1, "decay": "COSINE"}, address=daemon.address
        )
        for step in range(1, 5001):
            reporter.log(step, {"train/loss": 1 / step, "lr": 0.1})
        self.assertTrue(reporter.finish())
        self.assertEqual([step for _, step, _ in daemon.points()], list(range(1, 5001)))
        self.assertEqual(len(daemon.points("lr")), 5000)
        self.assertEqual(daemon.ends(), [run_pb2.Run.COMPLETED])
        self.assertEqual(daemon.opens[0].run.schedule.decay, run_pb2.Schedule.COSINE)
        self.assertEqual((reporter.stats().acknowledged, reporter.stats().dropped), (10000, 0))
        self.assertEqual(self.warnings.texts, [])

    def test_nothing_is_lost_or_doubled_when_the_stream_breaks(self):
        daemon = self.daemon()
        daemon.break_after = 3
        reporter = Reporter("p", "r", address=daemon.address, max_points_per_batch=100, flush_seconds=0.01)
        for step in range(1, 1001):
            reporter.log(step, {"train/loss": 1.0})
        self.assertTrue(reporter.finish())
        self.assertEqual([step for _, step, _ in daemon.points()], list(range(1, 1001)))
        self.assertGreaterEqual(reporter.stats().reconnects, 1)
        self.assertEqual(len({o.incarnation for o in daemon.opens}), 1)

    def test_a_daemon_that_comes_late_gets_everything_and_training_sees_one_warning(self):
        port = free_port()
        reporter = Reporter("p", "r", address=f"127.0.0.1:{port}")
        started = time.perf_counter()
        for step in range(1, 10001):
            reporter.log(step, {"train/loss": 1.0})
        self.assertLess(time.perf_counter() - started, 5)  # 20 µs a point are ours; the limit is for a busy machine.
        daemon = self.daemon(port=port)
        self.assertTrue(reporter.finish(timeout=30))
        self.assertEqual(len(daemon.points()), 10000)
        self.assertLessEqual(len(self.warnings.texts), 1)

    def test_without_a_daemon_memory_is_bounded_and_finish_gives_up_in_time(self):
        reporter = Reporter("p", "r", address=f"127.0.0.1:{free_port()}", max_buffered_points=1000)
        for step in range(1, 5001):
            reporter.log(step, {"train/loss": 1.0})
        self.assertFalse(reporter.finish(timeout=0.2))
        stats = reporter.stats()
        self.assertGreaterEqual(stats.dropped, 4000)
        self.assertLess(stats.dropped, 4800)
        self.assertEqual(stats.thinned, stats.dropped)

    def test_going_back_is_a_new_incarnation(self):
        daemon = self.daemon()
        with Reporter("p", "r", address=daemon.address) as reporter:
            for step in (10, 20, 30, 20, 30, 40):
                reporter.log(step, {"train/loss": 1.0})
        first, second = sorted({incarnation for incarnation, _, _ in daemon.points()})
        self.assertEqual([s for i, s, _ in daemon.points() if i == first], [10, 20, 30])
        self.assertEqual([s for i, s, _ in daemon.points() if i == second], [20, 30, 40])
        self.assertEqual(daemon.opens[-1].resume_step, 20)

    def test_a_restarted_process_can_state_where_it_resumes(self):
        daemon = self.daemon()
        with Reporter("p", "r", address=daemon.address, resume_step=40) as reporter:
            reporter.log(45, {"train/loss": 1.0})
        self.assertEqual(daemon.opens[0].resume_step, 40)
        for wrong in (-1, 2**53 + 1, [40]):
            with self.assertRaises(ValueError):
                Reporter("p", "r", address=daemon.address, resume_step=wrong)

    def test_a_stream_that_breaks_just_after_a_rewind_loses_nothing(self):
        daemon = self.daemon(ack=False)
        daemon.lose_opened = 2  # The daemon knows the second life, and the reporter does not hear of it.
        reporter = Reporter("p", "r", address=daemon.address)
        for step in (10, 20, 10):
            reporter.log(step, {"train/loss": 1.0})
        self.assertTrue(daemon.wait_until(lambda: len(daemon.opens) == 2))
        daemon.ack = True
        self.assertTrue(reporter.finish())
        self.assertEqual([step for _, step, _ in daemon.points()], [10, 20, 10])
        self.assertEqual(len(self.warnings.texts), 1)
        self.assertIn("cannot be reached", self.warnings.texts[0])

    def test_what_is_logged_before_the_objective_of_a_rewind_belongs_to_the_new_life(self):
        daemon = self.daemon()
        with Reporter("p", "r", address=daemon.address) as reporter:
            for step in (80, 90, 80):
                reporter.log(step, {"lr": 0.1, "train/loss": 1.0, "eval/loss": 1.0})
        for metric in ("lr", "train/loss", "eval/loss"):
            (first, _, _), *_, (second, last, _) = daemon.points(metric)
            self.assertGreater(second, first)
            self.assertEqual(last, 80)

    def test_what_is_not_a_number_is_data_and_what_is_no_point_is_dropped(self):
        daemon = self.daemon()
        reporter = Reporter("p", "r", address=daemon.address)
        reporter.log(1, {"train/loss": math.nan})
        reporter.log(2, {"a metric": 1.0})
        reporter.log(-1, {"train/loss": 1.0})
        reporter.log(3, {"train/loss": "two"})
        reporter.log(None, None)
        reporter.log(4, {"train/loss": 1.0})
        self.assertFalse(reporter.finish())
        self.assertEqual([step for _, step, _ in daemon.points()], [1, 4])
        self.assertTrue(math.isnan(daemon.points()[0][2]))
        self.assertEqual(reporter.stats().dropped, 2)

    def test_an_exception_in_training_ends_the_run_as_failed(self):
        daemon = self.daemon()
        with self.assertRaises(KeyError):
            with Reporter("p", "r", address=daemon.address) as reporter:
                reporter.log(1, {"train/loss": 1.0})
                raise KeyError("training's own")
        self.assertEqual(daemon.ends(), [run_pb2.Run.FAILED])

    def test_a_step_of_the_wall_clock_does_not_hold_points_back(self):
        daemon = self.daemon()
        reporter = Reporter("p", "r", address=daemon.address, flush_seconds=0.05)
        with unittest.mock.patch("curvecast.reporter.time.time", side_effect=itertools.count(2e9, -3600)):
            reporter.log(1, {"train/loss": 1.0})
            self.assertTrue(daemon.wait_until(lambda: daemon.batches, seconds=5))
        self.assertTrue(reporter.close())

    @unittest.mock.patch("curvecast.reporter._ANSWER_SECONDS", 0.2)
    def test_a_daemon_that_falls_silent_is_left_and_asked_again(self):
        daemon = self.daemon(ack=False)
        reporter = Reporter("p", "r", address=daemon.address, flush_seconds=0.01)
        reporter.log(1, {"train/loss": 1.0})
        self.assertTrue(daemon.wait_until(lambda: len(daemon.opens) >= 2, seconds=10))
        self.assertTrue(reporter.finish())
        self.assertEqual([step for _, step, _ in daemon.points()], [1])
        self.assertEqual(len(self.warnings.texts), 1)
        self.assertIn("is silent", self.warnings.texts[0])

    @unittest.mock.patch("curvecast.reporter._ANSWER_SECONDS", 0.2)
    def test_a_host_that_takes_the_connection_and_never_speaks_is_warned_of(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            reporter = Reporter("p", "r", address="127.0.0.1:%d" % mute.getsockname()[1])
            reporter.log(1, {"train/loss": 1.0})
            with reporter._changed:
                self.assertTrue(reporter._changed.wait_for(lambda: self.warnings.texts, timeout=5))
            self.assertFalse(reporter.close(timeout=0))

    @unittest.mock.patch("curvecast.reporter._ANSWER_SECONDS", 2)
    def test_a_daemon_that_owes_no_answer_may_be_silent_and_then_has_its_full_time(self):
        daemon = self.daemon()
        reporter = Reporter("p", "r", address=daemon.address, flush_seconds=0.01)
        reporter.log(1, {"train/loss": 1.0})
        with reporter._changed:
            self.assertTrue(reporter._changed.wait_for(lambda: reporter._outbox.stats.acknowledged == 1, timeout=5))
            reporter._heard_at -= 3600
        self.assertFalse(daemon.wait_until(lambda: len(daemon.opens) >= 2, seconds=0.5))
        with daemon.changed:
            reporter.log(2, {"train/loss": 1.0})
            time.sleep(0.5)  # The daemon answers late, not too late.
        self.assertTrue(reporter.finish())
        self.assertEqual((len(daemon.opens), self.warnings.texts), (1, []))

    def test_a_phase_arrives_behind_its_points_and_a_block_may_stand_for_it(self):
        daemon = self.daemon()
        reporter = Reporter("p", "r", address=daemon.address, flush_seconds=60)
        reporter.log(1, {"train/loss": 1.0})
        with reporter.phase("eval", 2400):
            self.assertTrue(daemon.wait_until(lambda: daemon.batches))
            reporter.log(1, {"eval/loss": 1.0})
        reporter.log(2, {"train/loss": 1.0})
        reporter.phase("save", 60)
        self.assertTrue(reporter.finish())
        phases = [(batch.phase.name, batch.phase.max_seconds) for _, batch in daemon.batches if batch.HasField("phase")]
        self.assertEqual(phases, [("eval", 2400), ("save", 60)])
        self.assertEqual([step for _, step, _ in daemon.points()], [1, 2])
        self.assertEqual(daemon.ends(), [run_pb2.Run.COMPLETED])

    def test_a_phase_that_is_none_raises_nothing_and_an_odd_name_is_made_fit(self):
        daemon = self.daemon()
        reporter = Reporter("p", "r", address=daemon.address)
        for wrong in (0, -1, math.nan, None, "long"):
            with reporter.phase("eval", wrong):
                reporter.log(1, {"eval/loss": 1.0})
        self.assertEqual(len(self.warnings.texts), 1)
        reporter.phase("\udc80" + 100 * "é", math.inf)
        self.assertTrue(reporter.finish())
        (phase,) = [batch.phase for _, batch in daemon.batches if batch.HasField("phase")]
        self.assertEqual((phase.name, phase.max_seconds), ("?" + 63 * "é", 30 * 86400))

    def test_an_exception_in_a_phase_is_the_jobs_own(self):
        reporter = Reporter("p", "r", address=self.daemon().address)
        with self.assertRaises(KeyError):
            with reporter.phase("eval", 60):
                raise KeyError("training's own")
        self.assertTrue(reporter.close())

    def test_close_leaves_the_run_running(self):
        daemon = self.daemon()
        reporter = Reporter("p", "r", address=daemon.address)
        reporter.log(1, {"train/loss": 1.0})
        self.assertTrue(reporter.close())
        self.assertEqual(len(daemon.points()), 1)
        self.assertEqual(daemon.ends(), [])

    def test_finish_is_not_true_after_points_were_dropped(self):
        port = free_port()
        reporter = Reporter("p", "r", address=f"127.0.0.1:{port}", max_buffered_points=10)
        for step in range(1, 12):
            reporter.log(step, {"train/loss": 1.0})
        daemon = self.daemon(port=port)
        self.assertFalse(reporter.finish())
        self.assertEqual(daemon.ends(), [run_pb2.Run.COMPLETED])
        self.assertFalse(reporter.close())

    def test_a_second_close_is_not_true_after_the_daemon_refused_the_run(self):
        daemon = self.daemon()
        daemon.take_over()
        reporter = Reporter("p", "r", address=daemon.address)
        reporter.log(1, {"train/loss": 1.0})
        self.assertFalse(reporter.close())
        self.assertFalse(reporter.close())

    def test_a_mistake_in_the_description_is_told_at_once(self):
        with self.assertRaises(ValueError):
            Reporter("p", "r", schedule={"peak_rate": 0.1})
        with self.assertRaises(ValueError):
            Reporter("p", "r", schedule={"peak_lr": 0.1, "decay": "SQUARE"})


if __name__ == "__main__":
    unittest.main()
