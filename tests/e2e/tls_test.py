"""TLS from end to end: a daemon with a certificate, and with one that asks for its clients'; the command line, the C++ and the Python
reporter. The certificates are made here, by openssl, and end with the test."""

import os
import subprocess
import unittest
from unittest import mock

import curvecast
from daemon_under_test import BIN, EndToEnd, wait_until


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Authority:
    """Who signs: NAME.pem and NAME.key for everybody, and NAME.ca.pem for itself."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self.new_key = key
        self.certificate = folder / f"{name}.ca.pem"
        openssl("req", "-x509", *key, "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{folder}/{name}.ca.key",
                "-out", self.certificate)  # fmt: skip

    def sign(self, name, host="127.0.0.1"):
        """The paths of a new certificate and of its key."""
        base = self.folder / f"{self.name}.{name}"
        base.with_suffix(".ext").write_text(f"subjectAltName=IP:{host}\n")
        openssl("req", *self.new_key, "-subj", f"/CN={name}", "-keyout", f"{base}.key", "-out", f"{base}.csr")
        openssl("x509", "-req", "-in", f"{base}.csr", "-CA", self.certificate, "-CAkey", f"{self.folder}/{self.name}.ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", base.with_suffix(".ext"), "-out", f"{base}.pem")  # fmt: skip
        return f"{base}.pem", f"{base}.key"


class TlsTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.ours = Authority(self.folder, "ours")
        self.certificate, self.key = self.ours.sign("daemon")
        clean = mock.patch.dict(os.environ)
        clean.start()
        self.addCleanup(clean.stop)
        os.environ["GRPC_VERBOSITY"] = "NONE"  # It tells of every handshake that fails, each time.
        for name in ("CA", "CERTIFICATE", "KEY"):
            os.environ.pop(f"CURVECAST_TLS_{name}", None)

    def tls_daemon(self, *flags):
        given = ["--set", f"listen.tls_certificate={self.certificate}", "--set", f"listen.tls_key={self.key}"]
        daemon = self.daemon(*given, *flags).start()
        daemon.address = f"tls://{daemon.grpc}"
        return daemon

    def command(self, address, *words, **environment):
        return subprocess.run(
            [BIN / "curvecast", "--address", address, *words],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def test_everybody_who_trusts_the_certificate_is_served(self):
        daemon = self.tls_daemon()
        os.environ["CURVECAST_TLS_CA"] = str(self.ours.certificate)
        job = self.job(daemon, "--steps", "100", "--project", "p", "--run-id", "cpp")
        self.assertEqual(job.wait(), 0, job.errors.read_text())
        with curvecast.Reporter("p", "python", total_steps=10, address=daemon.address) as reporter:
            for step in range(1, 11):
                reporter.log(step, {"train/loss": 3 - 0.1 * step})
        self.assertEqual(reporter.stats().acknowledged, 10)
        self.assertTrue((self.folder / "past.jsonl").write_text(
            '{"run":{"project":"p","runId":"file","totalSteps":"2"}}\n'
            '{"points":{"metric":"train/loss","step":["1","2"],"value":[3,2]}}\n{"end":{"state":"COMPLETED"}}\n'
        ))  # fmt: skip
        imported = self.command(daemon.address, "import", str(self.folder / "past.jsonl"))
        self.assertEqual(imported.returncode, 0, imported.stderr)
        runs = self.command(daemon.address, "runs")
        self.assertEqual(runs.returncode, 0, runs.stderr)
        for run in ("cpp", "python", "file"):
            self.assertIn(run, runs.stdout)

    def test_who_does_not_trust_it_or_speaks_in_the_clear_is_told(self):
        daemon = self.tls_daemon()
        stranger = str(Authority(self.folder, "strangers").certificate)
        for ca in ({}, {"CURVECAST_TLS_CA": stranger}):
            refused = self.command(daemon.address, "runs", **ca)
            self.assertEqual(refused.returncode, 3)
            self.assertIn("certificate verify failed", refused.stderr)
            self.assertIn("CURVECAST_TLS_CA", refused.stderr)
        self.assertEqual(self.command(daemon.grpc, "runs").returncode, 3)
        with self.assertLogs("curvecast", "WARNING") as told:
            reporter = curvecast.Reporter("p", "r", address=daemon.address)
            reporter.log(1, {"train/loss": 1.0})
            self.assertFalse(reporter.finish(timeout=1))
        self.assertIn("certificate verify failed", told.output[0])
        self.assertEqual(daemon.runs(), [])

    def test_a_certificate_of_another_host_is_none(self):
        self.certificate, self.key = self.ours.sign("elsewhere", host="192.0.2.1")
        refused = self.command(self.tls_daemon().address, "runs", CURVECAST_TLS_CA=str(self.ours.certificate))
        self.assertEqual(refused.returncode, 3)

    def test_a_daemon_that_asks_for_certificates_serves_those_whom_it_trusts(self):
        daemon = self.tls_daemon("--set", f"listen.tls_client_ca={self.ours.certificate}")
        os.environ["CURVECAST_TLS_CA"] = str(self.ours.certificate)
        self.assertEqual(self.command(daemon.address, "runs").returncode, 3)
        for authority, code in ((self.ours, 0), (Authority(self.folder, "strangers"), 3)):
            certificate, key = authority.sign("client")
            shown = {"CURVECAST_TLS_CERTIFICATE": certificate, "CURVECAST_TLS_KEY": key}
            self.assertEqual(self.command(daemon.address, "runs", **shown).returncode, code)
        os.environ["CURVECAST_TLS_CERTIFICATE"], os.environ["CURVECAST_TLS_KEY"] = self.ours.sign("job")
        reporter = curvecast.Reporter("p", "r", address=daemon.address)
        reporter.log(1, {"train/loss": 1.0})
        self.assertTrue(reporter.finish())

    def test_half_of_a_pair_is_a_mistake(self):
        half = self.command("tls://127.0.0.1:1", "runs", CURVECAST_TLS_KEY=self.key)
        self.assertEqual(half.returncode, 2)
        self.assertIn("CURVECAST_TLS_CERTIFICATE and CURVECAST_TLS_KEY go together", half.stderr)
        other = self.command("https://127.0.0.1:1", "runs")
        self.assertEqual(other.returncode, 2)
        self.assertIn("tls://host:port", other.stderr)

    def test_a_file_that_comes_later_is_enough_for_a_job(self):
        daemon = self.tls_daemon()
        late = self.folder / "late.pem"
        os.environ["CURVECAST_TLS_CA"] = str(late)
        job = self.job(daemon, "--steps", "3000", "--project", "p", "--run-id", "cpp")
        with self.assertLogs("curvecast", "WARNING") as told:
            reporter = curvecast.Reporter("p", "python", address=daemon.address)
            reporter.log(1, {"train/loss": 1.0})
            wait_until(lambda: told.output, 10, "a warning")
        self.assertIn("late.pem cannot be read", told.output[0])
        wait_until(lambda: "late.pem cannot be read" in job.errors.read_text(), 10, "the C++ reporter's warning")
        late.write_bytes(self.ours.certificate.read_bytes())
        self.assertTrue(reporter.finish())
        self.assertEqual(job.wait(), 0, job.errors.read_text())
        self.assertIn("is back", job.errors.read_text())
        logged, acknowledged, dropped, _ = job.stats()
        self.assertEqual((acknowledged, dropped), (logged, 0))

    def test_a_daemon_with_files_of_no_use_says_which_and_does_not_start(self):
        _, other_key = self.ours.sign("other")
        (self.folder / "garbage.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        for certificate, key, client_ca, named in (
            (self.certificate, "", "", "listen.tls_key: is not set"),
            ("", self.key, "", "listen.tls_certificate: is not set"),
            ("", "", self.ours.certificate, "listen.tls_certificate: is not set"),
            (self.folder / "none.pem", self.key, "", "none.pem cannot be read"),
            (self.certificate, BIN / "curvecast", "", "curvecast is not in PEM"),
            (self.certificate, other_key, "", "are of no use together"),
            (self.folder / "garbage.pem", self.key, "", "are of no use together"),
            (self.certificate, self.key, self.folder / "garbage.pem", "check listen.tls_client_ca"),
        ):
            with self.subTest(named=named, key=key):
                ended = subprocess.run(
                    [BIN / "curvecastd", "--data-dir", self.folder / "s", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0",
                     "--set", f"listen.tls_certificate={certificate}", "--set", f"listen.tls_key={key}",
                     "--set", f"listen.tls_client_ca={client_ca}"],
                    capture_output=True, text=True, timeout=20,
                )  # fmt: skip
                self.assertNotEqual(ended.returncode, 0)
                self.assertIn(named, ended.stderr)


if __name__ == "__main__":
    unittest.main()
