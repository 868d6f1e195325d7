"""What standard tools ask of a gRPC server: its health, and which services it has. Spoken in bytes, since Debian has no Python
package with these protocols; both are tiny."""

import unittest

import grpc
from daemon_under_test import EndToEnd, wait_until

SERVING = b"\x08\x01"  # HealthCheckResponse{status: SERVING}
LIST_SERVICES = b"\x3a\x00"  # ServerReflectionRequest{list_services: ""}


class ServicesTest(EndToEnd):
    def test_health_says_serving_once_the_journal_is_read(self):
        with grpc.insecure_channel(self.daemon().start().grpc) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            wait_until(lambda: check(b"", timeout=10) == SERVING, 10, "health to say SERVING")

    def test_reflection_lists_our_services(self):
        with grpc.insecure_channel(self.daemon().start().grpc) as channel:
            reflect = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
            answer = next(reflect(iter([LIST_SERVICES]), timeout=10))
        for service in (b"curvecast.v1.IngestService", b"curvecast.v1.QueryService", b"grpc.health.v1.Health"):
            self.assertIn(service, answer)


if __name__ == "__main__":
    unittest.main()
