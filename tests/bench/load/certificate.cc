#include "tests/bench/load/certificate.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/str_split.h"

namespace curvecast {

absl::StatusOr<Certificate> MakeCertificate(const std::string& folder) {
  Certificate made{folder + "/daemon.pem", folder + "/daemon.key"};
  std::vector<std::string> words = absl::StrSplit(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=load_ingest -addext "
      "subjectAltName=IP:127.0.0.1",
      ' ');
  words.insert(words.end(), {"-keyout", made.key_file, "-out", made.file});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log = folder + "/openssl.log";
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT, 0644);
  pid_t pid = 0;
  int status = 0;
  const int error = posix_spawnp(&pid, "openssl", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0 || waitpid(pid, &status, 0) != pid || status != 0) {
    return absl::UnavailableError(
        "openssl made no certificate; install it (deploy/packages.txt), or name a daemon with --address");
  }
  return made;
}

}  // namespace curvecast
