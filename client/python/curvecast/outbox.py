"""What a reporter has still to deliver, and the rules of the Push stream (ingest.proto). No threads, no sockets, no clock."""

import collections
import dataclasses
import math

from curvecast.v1 import ingest_pb2

INVALID_ARGUMENT = 3
FAILED_PRECONDITION = 9

MAX_CHANNEL = 65535
MAX_BATCH = 16384  # The daemon's limit, unless it is set otherwise there.
MAX_STEP = 2**53
LEAST_TO_THIN = 64  # A smaller buffer drops its oldest points instead.
MAX_UNSETTLED_BATCHES = 64  # Past it points wait where they can be thinned.
MAX_BARE_BATCHES = 64  # Unacknowledged batches, past which a phase without points waits.


@dataclasses.dataclass
class Stats:
    """Points: logged by the job, on the daemon's disk, given up (buffer full, or refused). And how often the stream broke."""

    logged: int = 0
    acknowledged: int = 0
    dropped: int = 0
    thinned: int = 0  # Of the dropped: thinned out of a full buffer.
    reconnects: int = 0


class _Life:
    """One incarnation of the writer: its points not yet in a batch, and its batches not yet acknowledged."""

    def __init__(self, channel, incarnation, resume_step):
        self.channel = channel
        self.incarnation = incarnation
        self.resume_step = resume_step
        self.lowest_step = None  # Of the objective's points.
        self.points = collections.deque()  # (step, metric, value)
        self.oldest_point_at = None  # When the first of `points` came.
        self.phase = None  # (name, seconds): what the job does after the last point; of the newest life alone.
        self.end = None  # A state of Run, to be sent with or after the last point.
        self.batches = collections.deque()  # (sequence, points, request), by sequence.
        self.ever_sent = False  # A batch with points went out on this connection or one before.
        self.next_sequence = 1
        self.sent = 0  # How many of `batches` went out on this connection.
        self.asked = False  # An open went out on this connection.
        self.opened = False  # ... and was answered.
        self.ever_asked = False  # ... or on one before.

    def idle(self):
        return not self.points and not self.batches and self.phase is None and self.end is None


def _thin(life, least_gap):
    """Takes waiting points out that lie fewer steps behind the one of their metric that stays before them, but never the first, the last, the lowest, the highest, or what is not finite:
    a long absence of the daemon costs resolution and no part of the curve. Returns how many went."""
    points = life.points
    marked = set()
    lowest, highest, last = {}, {}, {}
    for i, (_, metric, value) in enumerate(points):
        if metric not in last:
            marked.add(i)
        last[metric] = i
        if not math.isfinite(value):
            marked.add(i)
            continue
        if metric not in lowest or value < lowest[metric][0]:
            lowest[metric] = (value, i)
        if metric not in highest or value > highest[metric][0]:
            highest[metric] = (value, i)
    marked.update(last.values(), (i for _, i in lowest.values()), (i for _, i in highest.values()))
    kept, kept_step = collections.deque(), {}
    for i, point in enumerate(points):
        step, metric, _ = point
        if i not in marked and step - kept_step.get(metric, 0) < least_gap:
            continue
        kept_step[metric] = step
        kept.append(point)
    life.points = kept
    return len(points) - len(kept)


class Outbox:
    """Bounded by points; what waits is thinned past it. The caller holds a lock around every call."""

    def __init__(self, run, writer, incarnation, resume_step, max_points, max_batch, flush_seconds):
        self._run = run
        self._writer = writer
        self._max_points = max_points
        self._max_batch = min(max(1, max_batch), MAX_BATCH)
        self._flush_seconds = flush_seconds
        self._lives = collections.deque([_Life(1, incarnation, resume_step)])
        self._held = 0
        self._gap = 0  # In steps, by which it was thinned last.
        self._oldest_to_go = 0
        self._last_objective_step = None
        self.stats = Stats()
        self.refused = None  # Why the daemon will not have this run; nothing is kept from then on.

    # What the job says.

    def add(self, step, metric, value, now):
        self.stats.logged += 1
        if self.refused is not None:
            self.stats.dropped += 1
            return
        if metric == self._run.objective:
            self._lives[-1].phase = None  # It is over before the daemon was told of it.
            if self._last_objective_step is not None and step < self._last_objective_step:
                self._begin_life(step)
            self._last_objective_step = step
            if self._lives[-1].lowest_step is None:
                self._lives[-1].lowest_step = step  # Within a life the objective's steps never fall.
        life = self._lives[-1]
        if life.oldest_point_at is None:
            life.oldest_point_at = now
        life.points.append((step, metric, value))
        self._held += 1
        if self._held > self._max_points:
            self._make_room()

    def phase(self, name, seconds):
        """One waits, behind all points: a later one takes its place."""
        if self.refused is None:
            self._lives[-1].phase = (name, seconds)

    def finish(self, state):
        if self.refused is None:
            self._lives[-1].end = state

    def empty(self):
        return all(life.idle() for life in self._lives)

    def delivered(self):
        return self.empty() and self.refused is None and self.stats.dropped == 0

    # What goes out.

    def take(self, now, hurry):
        """The next request to send, or None if there is nothing to send yet."""
        if self.refused is not None:
            return None
        for life in self._lives:
            newest = life is self._lives[-1]
            if not life.asked:
                life.asked = life.ever_asked = True
                return self._open(life)
            if not life.opened:
                return None
            if life.sent == len(life.batches) < MAX_UNSETTLED_BATCHES and self._due(life, now, hurry or not newest):
                self._cut_batch(life)
            if life.sent < len(life.batches):
                _, points, request = life.batches[life.sent]
                life.sent += 1
                life.ever_sent = life.ever_sent or points > 0
                return request
        return None

    def awaits_answer(self):
        return any(life.sent > 0 or (life.asked and not life.opened) for life in self._lives)

    def due_at(self):
        """When the oldest point that waits for company has waited enough; None if none waits."""
        waiting = self._lives[-1].oldest_point_at
        return None if waiting is None else waiting + self._flush_seconds

    def full_batch(self):
        return len(self._lives[-1].points) >= self._max_batch

    # What comes back.

    def disconnected(self):
        """Forgets what was sent on the broken stream: it is sent again unless the daemon says that it has it."""
        for life in self._lives:
            life.asked = life.opened = False
            life.sent = 0

    def opened(self, channel, expected_sequence):
        life = self._find(channel)
        if life is not None:
            life.opened = True
            # A daemon that knows this incarnation from before, as after a restart on an older store, must not see a number twice.
            life.next_sequence = max(life.next_sequence, expected_sequence)
            self._acknowledge(life, expected_sequence - 1)

    def acknowledged(self, channel, sequence):
        life = self._find(channel)
        if life is not None:
            self._acknowledge(life, sequence)

    def rejected(self, channel, sequence, code, message):
        """True if the stream should be given up and tried again later."""
        life = self._find(channel)
        if life is None:
            return False
        if sequence > 0:
            if code == FAILED_PRECONDITION:
                return True  # The next open tells whether that is for good.
            self._remove_batch(life, sequence)  # Over; or acknowledged before, and only the metrics past a limit left out.
            return False
        if code == FAILED_PRECONDITION and any(later.ever_asked for later in self._after(life)):
            # Our own next life took over, though its answer may have been lost; a stream is in order, so all of this one had
            # arrived. Had a stranger taken over instead, the next life's own open is refused too.
            self._acknowledge(life, life.next_sequence)
            return False
        if code in (INVALID_ARGUMENT, FAILED_PRECONDITION):
            self._refuse(message)
            return False
        return True

    # Within.

    def _begin_life(self, resume_step):
        old = self._lives[-1]
        life = _Life(old.channel % MAX_CHANNEL + 1, old.incarnation + 1, resume_step)
        if old.idle():
            self._bequeath(self._lives.pop(), life)
        self._lives.append(life)

    def _bequeath(self, life, heir):
        """The daemon rewinds at a life's first batch; for a life that never sent one its successor does it."""
        if not life.ever_sent and life.resume_step is not None:
            heir.resume_step = min(heir.resume_step, life.resume_step)

    def _open(self, life):
        request = ingest_pb2.PushRequest(channel=life.channel)
        request.open.run.CopyFrom(self._run)
        request.open.writer = self._writer
        request.open.incarnation = life.incarnation
        if life.resume_step is not None:
            request.open.resume_step = life.resume_step
        return request

    def _due(self, life, now, hurry):
        if life.end is not None:
            return True
        if life.phase is not None and (life.points or len(life.batches) < MAX_BARE_BATCHES):
            return True  # A silence begins: there is no company to wait for.
        if not life.points:
            return False
        return hurry or len(life.points) >= self._max_batch or now - life.oldest_point_at >= self._flush_seconds

    def _cut_batch(self, life):
        count = min(len(life.points), self._max_batch)
        request = ingest_pb2.PushRequest(channel=life.channel)
        request.batch.sequence = life.next_sequence
        columns = {}
        for _ in range(count):
            step, metric, value = life.points.popleft()
            column = columns.get(metric)
            if column is None:
                column = columns[metric] = request.batch.points.add(metric=metric)
            column.step.append(step)
            column.value.append(value)
        if not life.points:
            life.oldest_point_at = None
            if life.phase is not None:
                request.batch.phase.name, request.batch.phase.max_seconds = life.phase
                life.phase = None
            if life.end is not None:
                request.batch.end.state = life.end
                life.end = None
        life.batches.append((life.next_sequence, count, request))
        life.next_sequence += 1

    def _after(self, life):
        return list(self._lives)[self._lives.index(life) + 1 :]

    def _find(self, channel):
        return next((life for life in self._lives if life.channel == channel), None)

    def _acknowledge(self, life, sequence):
        while life.batches and life.batches[0][0] <= sequence:
            _, points, _ = life.batches.popleft()
            life.sent = max(0, life.sent - 1)
            self._held -= points
            self.stats.acknowledged += points
        if self._held == 0:
            self._gap = 0
        self._forget_past_lives()

    def _remove_batch(self, life, sequence):
        for index, (number, points, _) in enumerate(life.batches):
            if number == sequence:
                del life.batches[index]
                life.sent = max(0, life.sent - 1)
                self._held -= points
                self.stats.dropped += points
                break
        self._forget_past_lives()

    def _forget_past_lives(self):
        while len(self._lives) > 1 and self._lives[0].idle():
            self._bequeath(self._lives.popleft(), self._lives[0])

    def _make_room(self):
        """Thins what waits; where that frees little (a job that logs NaN alone), the oldest go for a while, for thinning looks at all."""
        if self._max_points >= LEAST_TO_THIN and self._oldest_to_go == 0:
            enough = self._max_points // 4
            finite = sum(math.isfinite(value) for life in self._lives for _, _, value in life.points)
            thinned = 0
            self._gap = max(2, self._gap)
            while finite >= enough:  # By the smallest gap that frees a quarter: the points lie ever wider, but evenly.
                thinned += sum(_thin(life, self._gap) for life in self._lives)
                if thinned >= enough or self._gap > MAX_STEP:
                    break
                self._gap *= 2
            self._held -= thinned
            self.stats.dropped += thinned
            self.stats.thinned += thinned
            if thinned < enough:
                self._oldest_to_go = enough
        while self._held > self._max_points:
            self._oldest_to_go = max(0, self._oldest_to_go - 1)
            self._drop_oldest()

    def _drop_oldest(self):
        for life in self._lives:
            if life.resume_step is None and not life.ever_sent and not life.idle():
                life.resume_step = life.lowest_step  # The daemon would take it from the first batch, which now begins later.
            if life.batches:
                self._remove_batch(life, life.batches[0][0])
                return
            if life.points:
                life.points.popleft()
                self._held -= 1
                self.stats.dropped += 1
                self._forget_past_lives()
                return

    def _refuse(self, message):
        self.refused = message
        self.stats.dropped += self._held
        self._held = 0
        self._lives = collections.deque([_Life(1, 1, None)])
