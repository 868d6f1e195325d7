"""What happens when a job forks with a reporter at work, as a DataLoader with workers does."""

import multiprocessing
import threading
import unittest

from curvecast import Reporter
from fake_daemon import FakeDaemon


def work_with(reporter):
    """In the child: every method must return, at once, and do nothing."""
    reporter.log(999, {"train/loss": 1.0})
    with reporter.phase("eval", 60):
        pass
    assert reporter.stats().logged == 0
    assert reporter.finish() is False
    assert reporter.close() is False


class ForkTest(unittest.TestCase):
    def setUp(self):
        self.daemon = FakeDaemon()
        self.reporter = Reporter("p", "r", address=self.daemon.address, flush_seconds=0.001)
        self.reporter.log(1, {"train/loss": 1.0})
        self.assertTrue(self.daemon.wait_until(lambda: len(self.daemon.batches) == 1))

    def tearDown(self):
        self.daemon.stop()

    def finish_and_check(self):
        self.reporter.log(2, {"train/loss": 1.0})
        self.assertTrue(self.reporter.finish())
        self.assertEqual([step for _, step, _ in self.daemon.points()], [1, 2])

    def test_a_worker_process_neither_hangs_nor_reports(self):
        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=work_with, args=(self.reporter,)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(timeout=20)
            self.assertEqual(worker.exitcode, 0)
        self.finish_and_check()

    def test_a_child_forked_while_another_thread_holds_the_lock_does_not_wait_for_it(self):
        held, forked = threading.Event(), threading.Event()

        def hold():
            with self.reporter._changed:
                held.set()
                forked.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        worker = multiprocessing.get_context("fork").Process(target=work_with, args=(self.reporter,))
        worker.start()
        forked.set()
        holder.join()
        worker.join(timeout=20)
        self.assertEqual(worker.exitcode, 0)
        self.finish_and_check()


if __name__ == "__main__":
    unittest.main()
