"""An IngestService in this process, that keeps the rules of ingest.proto and can be told to misbehave."""

import concurrent.futures
import threading

import grpc

from curvecast.v1 import ingest_pb2, ingest_pb2_grpc


class FakeDaemon(ingest_pb2_grpc.IngestServiceServicer):
    def __init__(self, port=0, ack=True):
        self.ack = ack  # False: takes batches and says nothing.
        self.break_after = None  # Break the stream once this many batches have come, before they are acknowledged.
        self.lose_opened = None  # Break the stream instead of answering the open that is this many-th.
        self.changed = threading.Condition()
        self.opens = []  # In order of arrival.
        self.batches = []
        self._next = {}  # By incarnation.
        self._calls = set()
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        ingest_pb2_grpc.add_IngestServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self.address = f"127.0.0.1:{self.port}"
        self._server.start()

    def stop(self):
        self._server.stop(None).wait()

    def Push(self, requests, context):
        incarnations = {}
        for request in requests:
            response = ingest_pb2.PushResponse(channel=request.channel)
            with self.changed:
                if request.HasField("open"):
                    newest = max(self._next, default=0)
                    if request.open.incarnation < newest:
                        response.rejected.code = 9
                        response.rejected.message = "a newer incarnation has taken over"
                        yield response
                        continue
                    incarnations[request.channel] = request.open.incarnation
                    self.opens.append(request.open)
                    response.opened.expected_sequence = self._next.setdefault(request.open.incarnation, 1)
                    self.changed.notify_all()
                    if len(self.opens) == self.lose_opened:
                        context.abort(grpc.StatusCode.UNAVAILABLE, "broken on purpose")
                    yield response
                    continue
                incarnation = incarnations[request.channel]
                sequence = request.batch.sequence
                if sequence >= self._next[incarnation]:
                    self._next[incarnation] = sequence + 1
                    self.batches.append((incarnation, request.batch))
                    self.changed.notify_all()
                if self.break_after is not None and len(self.batches) >= self.break_after:
                    self.break_after = None
                    context.abort(grpc.StatusCode.UNAVAILABLE, "broken on purpose")
                response.ack.sequence = sequence
            if self.ack:
                yield response

    def take_over(self):
        """As a newer process would."""
        with self.changed:
            self._next[2**63] = 1

    def points(self, metric="train/loss"):
        """What was journaled of one metric: (incarnation, step, value)."""
        with self.changed:
            return [
                (incarnation, step, value)
                for incarnation, batch in self.batches
                for column in batch.points
                if column.metric == metric
                for step, value in zip(column.step, column.value)
            ]

    def ends(self):
        with self.changed:
            return [batch.end.state for _, batch in self.batches if batch.HasField("end")]

    def wait_until(self, condition, seconds=20):
        with self.changed:
            return self.changed.wait_for(condition, timeout=seconds)
