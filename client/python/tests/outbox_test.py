import math
import unittest

from curvecast.outbox import Outbox
from curvecast.v1 import run_pb2


def outbox(max_points=1000, max_batch=10, resume_step=None):
    run = run_pb2.Run(project="p", run_id="r", objective="train/loss")
    return Outbox(run, "", 100, resume_step, max_points, max_batch, flush_seconds=1.0)


def drain(box, now=0.0, hurry=True):
    """Everything that can be sent; each open is answered as by a daemon that knows nothing."""
    sent = []
    while (request := box.take(now, hurry)) is not None:
        sent.append(request)
        if request.HasField("open"):
            box.opened(request.channel, 1)
    return sent


class OutboxTest(unittest.TestCase):
    def test_a_point_waits_for_company_until_its_time_is_up(self):
        box = outbox()
        drain(box)
        box.add(1, "train/loss", 2.0, now=5.0)
        self.assertIsNone(box.take(5.9, hurry=False))
        self.assertEqual(box.due_at(), 6.0)
        self.assertEqual(box.take(6.0, hurry=False).batch.sequence, 1)

    def test_a_full_batch_does_not_wait_and_holds_columns(self):
        box = outbox(max_batch=4)
        drain(box)
        for step in (1, 2):
            box.add(step, "train/loss", 2.0, now=0)
            box.add(step, "lr", 0.1, now=0)
        batch = box.take(0, hurry=False).batch
        self.assertEqual([(c.metric, list(c.step)) for c in batch.points], [("train/loss", [1, 2]), ("lr", [1, 2])])

    def test_a_batch_size_that_the_daemon_would_refuse_or_that_sends_nothing_is_clamped(self):
        for asked, points, sizes in ((0, 2, [1, 1]), (20000, 16385, [16384, 1])):
            box = outbox(max_points=1 << 17, max_batch=asked)
            for step in range(points):
                box.add(step, "train/loss", 1.0, now=0)
            box.take(0, True)
            box.opened(1, 1)
            sent = [box.take(0, True) for _ in range(3)]
            self.assertEqual([len(request.batch.points[0].step) for request in sent if request and request.batch.points], sizes)

    def test_nothing_is_sent_before_the_daemon_has_answered_the_open(self):
        box = outbox()
        box.add(1, "train/loss", 2.0, now=0)
        self.assertTrue(box.take(9, hurry=True).HasField("open"))
        self.assertIsNone(box.take(9, hurry=True))
        box.opened(1, 1)
        self.assertTrue(box.take(9, hurry=True).HasField("batch"))

    def test_after_a_broken_stream_exactly_what_the_daemon_lacks_is_sent_again(self):
        box = outbox(max_batch=1)
        for step in range(1, 6):
            box.add(step, "train/loss", 2.0, now=0)
        drain(box)
        box.acknowledged(1, 2)
        self.assertEqual(box.stats.acknowledged, 2)
        box.disconnected()
        self.assertTrue(box.take(0, True).HasField("open"))
        box.opened(1, expected_sequence=5)  # 3 and 4 had arrived; only their acknowledgement was lost.
        again = drain(box)
        self.assertEqual([r.batch.sequence for r in again], [5])
        self.assertEqual(box.stats.acknowledged, 4)
        box.acknowledged(1, 5)
        self.assertTrue(box.empty())

    def test_the_oldest_points_go_when_the_buffer_is_full(self):
        box = outbox(max_points=10, max_batch=3)
        for step in range(1, 6):
            box.add(step, "train/loss", 1.0, now=0)
        drain(box)  # Two batches on their way, never acknowledged.
        for step in range(6, 14):
            box.add(step, "train/loss", 1.0, now=0)
        self.assertEqual(box.stats.dropped, 3)
        box.disconnected()
        steps = [s for r in drain(box) for c in r.batch.points for s in c.step]
        self.assertEqual(steps, list(range(4, 14)))

    def test_a_full_buffer_is_thinned_and_keeps_first_last_extreme_and_non_finite_points(self):
        box = outbox(max_points=1000, max_batch=1000)
        special = {700: 500.0, 9000: 0.5, 3000: math.nan, 4000: math.inf}
        for step in range(1, 20001):
            box.add(step, "train/loss", special.get(step, 2 + 100 / step), now=0)
            if step % 2 == 0:
                box.add(step, "lr", 0.1, now=0)
        points = [(c.metric, s) for r in drain(box) if r.HasField("batch") for c in r.batch.points for s in c.step]
        self.assertLessEqual(len(points), 1000)
        self.assertGreaterEqual(len(points), 400)
        self.assertEqual(box.stats.dropped, 30000 - len(points))
        self.assertEqual(box.stats.thinned, box.stats.dropped)
        steps = [s for metric, s in points if metric == "train/loss"]
        self.assertEqual(steps, sorted(steps))
        self.assertEqual((steps[0], steps[-1]), (1, 20000))
        self.assertLessEqual(set(special), set(steps))
        for low in range(0, 20000, 2000):
            self.assertGreaterEqual(sum(low < s <= low + 2000 for s in steps), 10, "no part of the curve is gone")

    def test_a_job_that_logs_only_nan_is_bounded_and_cheap_too(self):
        box = outbox(max_points=1000)
        for step in range(20000):
            box.add(step, "train/loss", math.nan, now=0)
        self.assertEqual(box.stats.dropped, 19000)

    def test_without_acknowledgements_points_wait_where_they_can_be_thinned(self):
        box = outbox(max_points=10000, max_batch=3)
        for step in range(1000):
            box.add(step, "train/loss", 1.0, now=0)
        self.assertEqual(sum(r.HasField("batch") for r in drain(box)), 64)

    def test_going_back_opens_a_new_life_after_the_old_one_is_sent(self):
        box = outbox()
        for step in (10, 20, 30):
            box.add(step, "train/loss", 1.0, now=0)
        box.add(5, "eval/loss", 1.0, now=0)  # Not the objective: merely late.
        box.add(15, "train/loss", 1.0, now=0)
        sent = drain(box)
        self.assertEqual([r.WhichOneof("request") for r in sent], ["open", "batch", "open", "batch"])
        self.assertEqual(sent[2].open.resume_step, 15)
        self.assertGreater(sent[2].open.incarnation, sent[0].open.incarnation)
        self.assertFalse(sent[0].open.HasField("resume_step"))
        self.assertEqual(sent[3].batch.sequence, 1)

    def test_an_old_life_that_its_successor_shut_out_had_arrived_in_full(self):
        box = outbox()
        box.add(10, "train/loss", 1.0, now=0)
        box.add(5, "train/loss", 1.0, now=0)
        drain(box)  # Both lives went out, nothing was acknowledged, and the stream broke.
        box.disconnected()
        first = box.take(0, True)
        self.assertFalse(box.rejected(first.channel, 0, 9, "a newer incarnation has taken over"))
        self.assertIsNone(box.refused)
        self.assertEqual(box.stats.acknowledged, 1)
        self.assertEqual([r.WhichOneof("request") for r in drain(box)], ["open", "batch"])

    def test_an_old_life_is_not_refused_for_good_when_the_answer_to_its_successors_open_was_lost(self):
        box = outbox()
        box.add(10, "train/loss", 1.0, now=0)
        box.add(5, "train/loss", 1.0, now=0)
        box.take(0, True)
        box.opened(1, 1)
        self.assertTrue(box.take(0, True).HasField("batch"))
        self.assertTrue(box.take(0, True).HasField("open"))  # The daemon took both and was killed before it answered.
        box.disconnected()
        first = box.take(0, True)
        self.assertFalse(box.rejected(first.channel, 0, 9, "a newer incarnation has taken over"))
        self.assertIsNone(box.refused)
        second = box.take(0, True)
        self.assertEqual((second.open.resume_step, box.stats.acknowledged), (5, 1))
        box.rejected(second.channel, 0, 9, "a newer incarnation has taken over")  # So it was a stranger.
        self.assertIsNotNone(box.refused)

    def test_a_restarted_process_says_where_it_resumes(self):
        box = outbox(resume_step=40)
        box.add(45, "train/loss", 1.0, now=0)
        self.assertEqual(box.take(0, True).open.resume_step, 40)

    def test_a_first_life_whose_start_overflowed_before_it_was_sent_says_where_it_resumed(self):
        box = outbox(max_points=3)
        box.take(0, True)  # To nobody: the daemon is away.
        box.disconnected()
        box.add(4, "lr", 0.1, now=0)
        for step in (40, 41, 42, 43):
            box.add(step, "train/loss", 1.0, now=0)
        self.assertEqual(drain(box)[0].open.resume_step, 40)

    def test_a_first_life_whose_start_was_sent_states_no_step_when_the_rest_overflows(self):
        box = outbox(max_points=3)
        box.add(40, "train/loss", 1.0, now=0)
        drain(box)
        box.disconnected()
        for step in (41, 42, 43, 44):
            box.add(step, "train/loss", 1.0, now=0)
        self.assertFalse(drain(box)[0].open.HasField("resume_step"))

    def test_a_life_that_overflow_forgot_leaves_its_lower_rewind_to_the_next(self):
        box = outbox(max_points=4)
        for step in (60, 61):
            box.add(step, "train/loss", 1.0, now=0)
        drain(box)
        box.disconnected()
        for step in (50, 60, 55, 56, 57, 58):  # Back to 50, and to 55; all before 55 is pushed out.
            box.add(step, "train/loss", 1.0, now=0)
        sent = drain(box)
        self.assertEqual([r.open.resume_step for r in sent if r.HasField("open")], [50])
        self.assertEqual([list(r.batch.points[0].step) for r in sent if r.HasField("batch")], [[55, 56, 57, 58]])

    def test_a_life_of_which_a_batch_went_out_leaves_no_rewind(self):
        box = outbox(max_points=4)
        for step in (60, 50, 51):
            box.add(step, "train/loss", 1.0, now=0)
        drain(box)
        box.disconnected()
        for step in (55, 54, 55, 56, 57):
            box.add(step, "train/loss", 1.0, now=0)
        self.assertEqual([r.open.resume_step for r in drain(box) if r.HasField("open")], [54])

    def test_a_stranger_that_takes_over_silences_the_reporter(self):
        box = outbox()
        box.add(10, "train/loss", 1.0, now=0)
        first = box.take(0, True)
        box.rejected(first.channel, 0, 9, "a newer incarnation has taken over")
        box.add(20, "train/loss", 1.0, now=0)
        self.assertEqual(box.refused, "a newer incarnation has taken over")
        self.assertEqual((box.stats.logged, box.stats.dropped), (2, 2))
        self.assertIsNone(box.take(9, True))

    def test_a_refused_batch_is_counted_and_the_rest_goes_on(self):
        box = outbox(max_batch=1)
        for step in (1, 2, 3):
            box.add(step, "train/loss", 1.0, now=0)
        drain(box)
        self.assertFalse(box.rejected(1, 2, 3, "batch.points[0].step[0]: ..."))
        box.acknowledged(1, 3)
        self.assertEqual((box.stats.acknowledged, box.stats.dropped), (2, 1))
        self.assertTrue(box.empty())

    def test_metrics_past_a_limit_are_left_out_and_the_stream_goes_on(self):
        box = outbox()
        box.add(1, "train/loss", 1.0, now=0)
        drain(box)
        box.acknowledged(1, 1)
        self.assertFalse(box.rejected(1, 1, 8, "max_metrics_per_run: ..."))
        self.assertEqual((box.stats.acknowledged, box.stats.dropped), (1, 0))

    def test_a_writer_that_was_taken_over_tries_the_open_again(self):
        box = outbox()
        box.add(1, "train/loss", 1.0, now=0)
        drain(box)
        self.assertTrue(box.rejected(1, 1, 9, "open.incarnation: ..."))
        self.assertEqual(box.stats.dropped, 0)

    def test_a_phase_goes_at_once_with_the_last_points_or_alone(self):
        box = outbox(max_batch=2)
        drain(box)
        for step in (1, 2, 3):
            box.add(step, "train/loss", 1.0, now=0)
        box.phase("eval", 2400.0)
        sent = drain(box, hurry=False)
        self.assertEqual([r.batch.phase.name for r in sent], ["", "eval"])
        self.assertEqual(sent[-1].batch.phase.max_seconds, 2400.0)
        box.phase("save", 60.0)
        (alone,) = drain(box, hurry=False)
        self.assertEqual((alone.batch.phase.name, len(alone.batch.points)), ("save", 0))

    def test_the_objective_ends_a_phase_that_still_waits_and_other_metrics_do_not(self):
        box = outbox()
        box.phase("eval", 60.0)
        box.add(5, "eval/loss", 1.0, now=0)
        self.assertEqual(drain(box)[-1].batch.phase.name, "eval")
        box.phase("save", 60.0)
        box.add(6, "train/loss", 1.0, now=0)
        self.assertFalse(drain(box)[-1].batch.HasField("phase"))

    def test_phases_that_nobody_acknowledges_are_bounded(self):
        box = outbox()
        sent = 0
        for _ in range(1000):
            box.phase("eval", 60.0)
            sent += len(drain(box))
        self.assertEqual(sent, 1 + 64)
        box.acknowledged(1, 64)
        self.assertEqual(len(drain(box)), 1)

    def test_a_life_that_had_only_a_phase_has_rewound_nothing(self):
        box = outbox(resume_step=40)
        box.phase("load", 60.0)
        drain(box)
        box.acknowledged(1, 1)
        for step in (60, 55):
            box.add(step, "train/loss", 1.0, now=0)
        box._drop_oldest()  # The 60, which never went out.
        self.assertEqual([r.open.resume_step for r in drain(box) if r.HasField("open")], [40])

    def test_the_end_goes_with_the_last_points_or_alone(self):
        box = outbox()
        box.add(1, "train/loss", 1.0, now=0)
        box.finish(run_pb2.Run.COMPLETED)
        sent = drain(box, hurry=False)
        self.assertEqual(sent[-1].batch.end.state, run_pb2.Run.COMPLETED)
        alone = outbox()
        alone.finish(run_pb2.Run.FAILED)
        self.assertEqual([r.batch.end.state for r in drain(alone) if r.HasField("batch")], [run_pb2.Run.FAILED])


if __name__ == "__main__":
    unittest.main()
