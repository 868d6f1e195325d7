"""Each rule of the lint sees what it is there for, and lets through what is right."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import includes  # noqa: E402
import lint  # noqa: E402


def including(path, *headers, **others):
    files = {path: "".join(f'#include "{h}"\n' for h in headers)}
    files.update({h: "" for h in headers if h.startswith(("core/", "daemon/", "client/"))})
    files.update(others)
    return list(includes.check(files))


class IncludesTest(unittest.TestCase):
    def assert_refused(self, path, header, why):
        problems = including(path, header)
        self.assertTrue(any(header in p and why in p for p in problems), problems)

    def assert_allowed(self, path, *headers):
        self.assertEqual(including(path, *headers), [])

    def test_core_looks_only_to_its_left(self):
        self.assert_allowed("core/law/law.h", "core/curve/curve.h", "core/law/prior.h", "vector", "Eigen/Core", "absl/status/status.h")
        self.assert_refused("core/curve/curve.h", "core/law/law.h", "core/curve may see")

    def test_core_may_use_all_of_eigen(self):
        self.assert_allowed("core/family/least_squares.cc", "Eigen/Core", "unsupported/Eigen/LevenbergMarquardt")

    def test_core_sees_neither_the_world_nor_messages(self):
        for header in ("google/protobuf/message.h", "sqlite3.h", "unistd.h", "prometheus/counter.h", "spdlog/spdlog.h"):
            self.assert_refused("core/engine/run.cc", header, "may see of others")
        for header in ("thread", "mutex", "chrono", "random", "fstream"):
            self.assert_refused("core/engine/run.cc", header, "core/ports")
        self.assert_refused("core/engine/run.cc", "curvecast/v1/run.pb.h", "messages")
        self.assert_refused("core/engine/run.cc", "daemon/loop/inbox.h", "core/engine may see")

    def test_store_and_loop_never_see_grpc(self):
        for path in ("daemon/store/a.cc", "daemon/loop/a.cc"):
            self.assert_refused(path, "grpcpp/grpcpp.h", "gRPC is for")
            self.assert_refused(path, "curvecast/v1/ingest.grpc.pb.h", "gRPC is for")

    def test_store_and_loop_do_not_reach_grpc_through_another_header(self):
        problems = including("daemon/store/a.cc", "daemon/convert/b.h",
                             **{"daemon/convert/b.h": '#include "daemon/convert/c.h"\n',
                                "daemon/convert/c.h": '#include <grpcpp/grpcpp.h>\n'})
        self.assertIn("daemon/store/a.cc: must not reach gRPC: daemon/store/a.cc -> daemon/convert/b.h -> "
                      "daemon/convert/c.h -> grpcpp/grpcpp.h", problems)

    def test_messages_go_where_they_are_allowed(self):
        self.assert_allowed("daemon/store/a.cc", "curvecast/v1/journal.pb.h")
        self.assert_refused("daemon/loop/a.cc", "curvecast/v1/run.pb.h", "messages")
        self.assert_refused("daemon/http/a.cc", "curvecast/v1/journal.pb.h", "messages")
        self.assert_refused("client/cpp/a.cc", "curvecast/v1/config.pb.h", "messages")

    def test_rooms_of_the_daemon_keep_apart(self):
        self.assert_refused("daemon/rpc/a.cc", "daemon/store/sqlite_journal.h", "daemon/rpc may see")
        self.assert_refused("daemon/store/a.cc", "daemon/daemon.h", "daemon/store may see")
        self.assert_allowed("daemon/daemon.cc", "daemon/store/sqlite_journal.h", "daemon/rpc/server.h", "daemon/daemon.h")

    def test_a_room_that_is_not_listed_is_named(self):
        self.assertIn("does not know", including("daemon/teapot/a.cc", "vector")[0])
        self.assertIn("does not know", including("core/teapot/a.cc", "vector")[0])

    def test_a_header_that_is_not_there_is_named(self):
        self.assertIn("core/law/a.cc: includes core/law/gone.h, which is not there",
                      list(includes.check({"core/law/a.cc": '#include "core/law/gone.h"\n'})))


class LintTest(unittest.TestCase):
    def test_long_files(self):
        self.assertEqual(list(lint.check_sizes({"core/a.cc": "x\n" * 400})), [])
        self.assertEqual(len(list(lint.check_sizes({"core/a.cc": "x\n" * 401}))), 1)
        self.assertEqual(list(lint.check_sizes({"core/a.inc": "x\n" * 4000})), [])

    def test_names_that_say_nothing(self):
        for path in ("core/utils/a.h", "core/curve/curve_helpers.cc", "daemon/run_manager.h", "client/cpp/link_impl.cc"):
            self.assertEqual(len(list(lint.check_names({path: ""}))), 1, path)
        self.assertEqual(len(list(lint.check_names({"core/a.h": "class RunManager {"}))), 1)
        self.assertEqual(list(lint.check_names({"core/commonality.h": "struct Implied {", "core/run.h": "class Run;"})), [])

    def test_paths_of_one_machine(self):
        for text in ("see .." + "/shared/x", "cd /wo" + "rk/main", '"/ho' + 'me/someone"', "/ro" + "ot/.cache"):
            self.assertEqual(len(list(lint.check_paths({"README.md": text}))), 1, text)
            self.assertEqual(list(lint.check_paths({".ci/run": text})), [])
        for text in ("core/wo" + "rk/x", "https://a.b/ho" + "me/x", "/var/lib/curvecast", "${HOME}/wo" + "rk/x", "the root/leaf"):
            self.assertEqual(list(lint.check_paths({"README.md": text})), [], text)

    def test_state_that_a_snapshot_would_lose(self):
        fields = "template <class Archive>\n void Fields(Archive& archive) {\n archive(a_, b_);\n }\n"
        members = "private:\n std::map<std::string, int> a_;\n double b_ = f(1, 2), c_ = 0;  // d_ e_;\n"
        rest = "const int f_;\n Prior& g_;\n static constexpr int kH = 1;\n int I() const { return j_; }\n struct K { int l_; };\n"
        problems = list(lint.state_fields.check({"core/x.h": f"class X {{\n public:\n{fields}{members}{rest}}};"}))
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("X::c_", problems[0])
        self.assertEqual(list(lint.state_fields.check({"core/x.h": f"class X {{ {members} }};"})), [])

    def test_rooms_without_a_page(self):
        files = {"core/a/a.h": "", "core/b/b.h": "", "core/b/README.md": "", "core/CMakeLists.txt": "", "deploy/test.sh": "",
                 "client/examples/train_lm/a.cc": ""}
        self.assertEqual(list(lint.check_pages(files)), ["client/examples: has no README.md", "core/a: has no README.md",
                                                         "deploy: has no README.md"])

    def test_the_format(self):
        if lint.clang_format() is None:
            self.skipTest("clang-format 14 is not installed")
        import tempfile
        with tempfile.TemporaryDirectory() as top:
            for name, text in ((".clang-format", "BasedOnStyle: Google\n"), ("good.cc", "int a = 1;\n"), ("bad.cc", "int  a=1;\n")):
                with open(os.path.join(top, name), "w", encoding="utf-8") as file:
                    file.write(text)
            self.assertEqual(list(lint.check_format(top, ["good.cc"])), [])
            self.assertTrue(any("bad.cc" in p for p in lint.check_format(top, ["good.cc", "bad.cc"])))


if __name__ == "__main__":
    unittest.main()
