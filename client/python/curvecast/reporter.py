"""Reporter: what a training job calls."""

import atexit
import contextlib
import logging
import os
import re
import threading
import time
import weakref

# gRPC's own fork handlers may hang a process that forks while a stream is open, as DataLoader workers make it do. A forked
# child has no reporter anyway.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc  # noqa: E402  (the line above must come first)

from curvecast.endpoint import connect  # noqa: E402
from curvecast.outbox import Outbox, Stats  # noqa: E402
from curvecast.v1 import ingest_pb2_grpc, run_pb2  # noqa: E402

_log = logging.getLogger("curvecast")

_METRIC = re.compile(r"[A-Za-z0-9._:/-]{1,128}", re.ASCII)
_MAX_STEP = 2**53
_MAX_NAME_BYTES = 128
_LONGEST_PHASE_SECONDS = 30 * 86400.0
_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 5.0

_ANSWER_SECONDS = 15.0  # A daemon that is silent for longer is away.

_unfinished = weakref.WeakSet()


def _why(error):
    """What a person needs of an error of gRPC's: the end of the story that it tells."""
    return (error.details() or error.code().name).rpartition(": ")[2]


class Reporter:
    """Reports one run to curvecastd.

    log() is an append to a bounded buffer; a thread of the reporter's own does the rest. Nothing here blocks training, raises
    into it, or grows without bound: while the daemon is away the points wait, then they are thinned and counted, and one
    warning goes to the logger "curvecast" (by default: to stderr). Every method may be called from any thread. In a forked
    child, such as a DataLoader's worker, every method does nothing.

        with curvecast.Reporter("my_project", "run_1", total_steps=10000) as reporter:
            for step in range(1, 10001):
                reporter.log(step, {"train/loss": train_step()})
    """

    def __init__(
        self,
        project,
        run_id,
        *,
        family="",
        objective="train/loss",
        maximize=False,
        total_steps=None,
        parameters=None,
        tokens_per_step=None,
        schedule=None,
        labels=None,
        address=None,
        writer="",
        resume_step=None,
        max_buffered_points=1 << 17,
        max_points_per_batch=1024,
        flush_seconds=0.2,
    ):
        """The run's fields are those of Run in run.proto; `schedule` is a dict with the fields of Schedule, such as
        {"peak_lr": 3e-4, "warmup_steps": 100, "decay": "COSINE"}. `address`: host:port of the daemon, or tls://host:port; by default
        $CURVECAST_ADDRESS, else 127.0.0.1:7461. A process that goes on from a checkpoint may
        say at which `resume_step`: what the daemon has from there on is superseded. By default it goes by the objective's first
        steps. `max_points_per_batch` is brought within 1 to 16384. A mistake in these arguments is the one thing that raises
        (ValueError)."""
        try:
            run = run_pb2.Run(project=project, run_id=run_id, family=family, objective=objective, labels=labels or {})
            run.direction = run_pb2.Run.MAXIMIZE if maximize else run_pb2.Run.MINIMIZE
            for field, value in (
                ("total_steps", total_steps),
                ("parameters", parameters),
                ("tokens_per_step", tokens_per_step),
            ):
                if value is not None:
                    setattr(run, field, value)
            if resume_step is not None:
                resume_step = int(resume_step)
                if not 0 <= resume_step <= _MAX_STEP:
                    raise ValueError(f"curvecast.Reporter: resume_step is {resume_step}; steps are 0 to 2^53")
            if schedule is not None:
                run.schedule.CopyFrom(run_pb2.Schedule(**schedule))
        except TypeError as error:
            raise ValueError(f"curvecast.Reporter: {error}") from error
        self._objective = run.objective
        self._address = address or os.environ.get("CURVECAST_ADDRESS") or "127.0.0.1:7461"
        self._pid = os.getpid()
        self._changed = threading.Condition()  # Guards all below.
        self._outbox = Outbox(
            run, writer, time.time_ns() // 1000, resume_step, max_buffered_points, max_points_per_batch, flush_seconds
        )
        self._hurry = False  # Send what there is.
        self._closing = False
        self._call = None
        self._heard_at = 0.0  # When the daemon last answered, or began to owe an answer.
        self._warned = set()
        self._thread = threading.Thread(target=self._deliver, name="curvecast", daemon=True)
        self._thread.start()
        _unfinished.add(self)

    def log(self, step, values):
        """Takes {metric: value}; a value is anything float() takes. A step of the objective below the last one means that the
        job went back to a checkpoint: what the daemon has from this step on is superseded. So log what belongs to a step in one
        call, or the objective first."""
        if os.getpid() != self._pid:
            return
        try:
            now = time.monotonic()
            points = [(int(step), metric, float(value)) for metric, value in values.items()]
            # If the objective begins a new life, what was logged beside it belongs to that life too.
            points.sort(key=lambda point: point[1] != self._objective)
            with self._changed:
                was_empty = self._outbox.due_at() is None
                for point in points:
                    if _METRIC.fullmatch(point[1]) and 0 <= point[0] <= _MAX_STEP:
                        self._outbox.add(*point, now)
                    else:
                        self._outbox.stats.logged += 1
                        self._outbox.stats.dropped += 1
                        self._warn("point", "not a step and a metric, so not reported: %r", point)
                if was_empty or self._outbox.full_batch():
                    self._changed.notify_all()
        except Exception as error:  # Telemetry must never hurt training.
            self._warn("log", "log(%r, ...) was given what is no number: %s", step, error)

    def phase(self, name, max_seconds):
        """The job begins something long without a point of the objective, such as an evaluation or a wait for a machine: until
        that point comes, or `max_seconds` (above 0, at most 30 days) are over, the run is not called silent. As quick and as
        safe as log(). May be the subject of a `with`; that leaves nothing to say when the block is over, since the next point
        does."""
        if os.getpid() == self._pid:
            try:
                # Text that is not UTF-8 would break the stream.
                name = str(name).encode("utf-8", "replace")[:_MAX_NAME_BYTES].decode("utf-8", "ignore")
                seconds = min(float(max_seconds), _LONGEST_PHASE_SECONDS)
                if not seconds > 0:
                    raise ValueError("it must be above 0")
                with self._changed:
                    self._outbox.phase(name, seconds)
                    self._changed.notify_all()
            except Exception as error:  # Telemetry must never hurt training.
                self._warn("phase", "phase(%r, %r) is not reported: %s", name, max_seconds, error)
        return contextlib.nullcontext(self)

    def finish(self, state="COMPLETED", timeout=10.0):
        """Says how the run ended (COMPLETED, FAILED or STOPPED) and waits until everything is acknowledged. True if it is,
        and nothing was dropped."""
        return self._settle(timeout, state)

    def close(self, timeout=3.0):
        """Leaves the run as running: the job may come back. Waits as finish() does, and returns the same."""
        return self._settle(timeout, None)

    def stats(self):
        if os.getpid() != self._pid:
            return Stats()
        with self._changed:
            return Stats(**vars(self._outbox.stats))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.finish("COMPLETED" if kind is None else "FAILED")
        return False

    # The reporter's own thread.

    def _deliver(self):
        backoff = _FIRST_BACKOFF_SECONDS
        while not self._closing:
            delivered = False
            try:
                delivered = self._stream()
            except Exception as error:
                self._warn("thread", "an error of the reporter's own: %r", error)
            with self._changed:
                self._outbox.disconnected()
                if self._outbox.refused is not None:
                    self._warn("refused", "the daemon refuses this run: %s", self._outbox.refused)
                    self._changed.notify_all()
                    return
                if self._outbox.stats.thinned > 0:
                    self._warn("full", "the buffer was full: the points that wait are thinned")
                if self._closing:
                    return
                if delivered:
                    self._outbox.stats.reconnects += 1
                    backoff = _FIRST_BACKOFF_SECONDS
                self._changed.wait_for(lambda: self._closing, timeout=backoff)
            backoff = min(2 * backoff, _LONGEST_BACKOFF_SECONDS)

    def _stream(self):
        """Runs one stream until it breaks. True if the daemon acknowledged something on it."""
        delivered = False
        over = threading.Event()
        try:
            channel = connect(self._address, [("grpc.use_local_subchannel_pool", 1)])
        except ValueError as error:  # A file may still come.
            self._warn("away", "curvecastd at %s cannot be reached (%s); training goes on and the points wait", self._address, error)
            return False
        with channel:
            call = ingest_pb2_grpc.IngestServiceStub(channel).Push(self._requests(over))
            with self._changed:
                self._call = call
                self._heard_at = time.monotonic()
                if self._closing:
                    call.cancel()
            try:
                threading.Thread(target=self._watch, args=(call, over), name="curvecast watch", daemon=True).start()
                for response in call:
                    delivered = delivered or response.HasField("ack")
                    if self._receive(response):
                        break
            except grpc.RpcError as error:
                if not self._closing:
                    self._warn(
                        "away",
                        "curvecastd at %s cannot be reached (%s); training goes on and the points wait",
                        self._address,
                        _why(error),
                    )
            finally:
                over.set()
                with self._changed:
                    self._call = None
                    self._changed.notify_all()
                call.cancel()
        return delivered

    def _watch(self, call, over):
        """Breaks a stream whose answer is overdue. Of a host that is lost the kernel would tell only after many minutes."""
        while not over.wait(_ANSWER_SECONDS / 10):
            with self._changed:
                silent = time.monotonic() - self._heard_at
                overdue = self._outbox.awaits_answer() and silent > _ANSWER_SECONDS
            if overdue:
                self._warn("away", "curvecastd at %s is silent; training goes on and the points wait", self._address)
                call.cancel()
                return

    def _requests(self, over):
        """What gRPC sends, in a thread of gRPC's."""
        while True:
            with self._changed:
                while True:
                    if over.is_set() or self._closing:
                        return
                    now = time.monotonic()
                    if not self._outbox.awaits_answer():
                        self._heard_at = now
                    request = self._outbox.take(now, self._hurry)
                    if request is not None:
                        break
                    due = self._outbox.due_at()
                    self._changed.wait(None if due is None or due <= now else due - now)
            yield request

    def _receive(self, response):
        """True if the stream should be given up and tried again later."""
        kind = response.WhichOneof("response")
        give_up = False
        with self._changed:
            self._heard_at = time.monotonic()
            if kind == "opened":
                self._outbox.opened(response.channel, response.opened.expected_sequence)
            elif kind == "ack":
                self._outbox.acknowledged(response.channel, response.ack.sequence)
            elif kind == "rejected":
                rejected = response.rejected
                why = f"{rejected.field}: {rejected.message}" if rejected.field else rejected.message
                give_up = self._outbox.rejected(response.channel, rejected.sequence, rejected.code, why)
                if self._outbox.refused is not None:
                    give_up = True  # And _deliver says so.
                elif rejected.sequence > 0 or give_up:  # Else our own next life goes on.
                    self._warn("rejected", "the daemon refused a batch: %s", why)
            self._changed.notify_all()
        return give_up

    def _settle(self, timeout, state):
        if os.getpid() != self._pid:
            return False
        try:
            with self._changed:
                if self._closing:
                    return self._outbox.delivered()
                if state is not None:
                    self._outbox.finish(run_pb2.Run.State.Value(state))
                self._hurry = True
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: self._outbox.empty() or self._outbox.refused is not None, timeout=timeout
                )
                delivered = self._outbox.delivered()
                if not delivered:
                    self._warn("unsent", "the daemon has not confirmed every point of the run")
                self._closing = True
                self._changed.notify_all()
                if self._call is not None:
                    self._call.cancel()
            self._thread.join(timeout=1)
            _unfinished.discard(self)
            return delivered
        except Exception as error:  # Telemetry must never hurt training.
            self._warn("finish", "could not finish: %s", error)
            return False

    def _warn(self, subject, message, *values):
        if subject not in self._warned:
            self._warned.add(subject)
            _log.warning("curvecast: " + message, *values)


def _close_all():
    for reporter in list(_unfinished):
        reporter.close()


atexit.register(_close_all)
