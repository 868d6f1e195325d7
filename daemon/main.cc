#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/daemon.h"
#include "daemon/os/crash_at.h"
#include "daemon/os/process_settings.h"
#include "daemon/os/signals.h"
#include "daemon/store_commands.h"

namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

struct Flags {
  std::string config_file;
  std::string data_dir, grpc, http;  // Shorthands for the settings that change most.
  std::vector<std::string> settings;
  bool check_config = false;
  bool print_config = false;
  bool doctor = false;
  bool salvage = false;
  std::string backup;
  std::string export_to;
  std::vector<std::string> runs;
};

void Describe(CLI::App& app, Flags& flags) {
  app.set_version_flag("--version", CURVECAST_VERSION);
  app.add_option("--config", flags.config_file, "YAML file; see daemon/config/README.md")->envname("CURVECAST_CONFIG");
  app.add_option("--data-dir", flags.data_dir, "Short for --set store.directory=DIR");
  app.add_option("--grpc", flags.grpc, "Short for --set listen.grpc=HOST:PORT");
  app.add_option("--http", flags.http, "Short for --set listen.http=HOST:PORT");
  app.add_option("--set", flags.settings, "key=value, over the file and the environment; repeatable")
      ->type_name("KEY=VALUE");
  app.add_flag("--check-config", flags.check_config, "Check the configuration and exit");
  app.add_flag("--print-config", flags.print_config, "Print the configuration in force, defaults included, and exit");
  app.add_flag("--salvage", flags.salvage,
               "Of a damaged store, make a new one beside it of all that can be read, and exit");
  app.add_subcommand("doctor", "Say what is in the store, and whether a daemon can start on it")
      ->fallthrough()
      ->callback([&flags] { flags.doctor = true; });
  CLI::App* backup = app.add_subcommand("backup", "Copy the store, of a running daemon too, and read the copy");
  backup->fallthrough()
      ->add_option("DIR", flags.backup, "A folder that holds no store; the daemon must be able to write there")
      ->required();
  CLI::App* exporting = app.add_subcommand("export", "Write runs as run files, of a running daemon too");
  exporting->fallthrough()
      ->add_option("DIR", flags.export_to, "A folder; the daemon must be able to write there")
      ->required();
  exporting->add_option("RUN", flags.runs, "project/run_id; without any, all runs");
  app.require_subcommand(0, 1);
}

absl::Status Override(const Flags& flags, curvecast::v1::Config& config) {
  std::vector<std::pair<std::string, std::string>> settings;
  if (!flags.data_dir.empty()) settings.emplace_back("store.directory", flags.data_dir);
  if (!flags.grpc.empty()) settings.emplace_back("listen.grpc", flags.grpc);
  if (!flags.http.empty()) settings.emplace_back("listen.http", flags.http);
  for (const std::string& setting : flags.settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError("--set " + setting + ": write key=value, such as limits.max_runs=100");
    }
    settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  for (const auto& [key, value] : settings) {
    if (absl::Status status = curvecast::SetValue(config, key, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<curvecast::v1::Config> Configure(const Flags& flags) {
  absl::StatusOr<curvecast::v1::Config> config = curvecast::DefaultConfig();
  if (!flags.config_file.empty()) config = curvecast::LoadConfig(flags.config_file);
  if (!config.ok()) return config;
  if (absl::Status status = curvecast::ApplyEnvironment(*config); !status.ok()) return status;
  if (absl::Status status = Override(flags, *config); !status.ok()) return status;
  return config;
}

int Fail(const absl::Status& status, int code) {
  std::cerr << "curvecastd: " << status.message() << "\n";
  return code;
}

int Report(const absl::Status& status) { return status.ok() ? kOk : Fail(status, kFailed); }

int Serve(const curvecast::v1::Config& config) {
  setenv("GRPC_VERBOSITY", "NONE", 0);  // What matters of it is said in our words; the environment may ask for more.
  curvecast::SetUpProcess();
  if (const char* point = curvecast::CrashWhereAsked())
    spdlog::warn("kills itself at {}, as CURVECAST_CRASH_AT asks", point);
  curvecast::StopSignals signals;
  absl::StatusOr<std::unique_ptr<curvecast::Daemon>> daemon = curvecast::Daemon::Start(config, signals);
  if (!daemon.ok()) return Fail(daemon.status(), kFailed);
  spdlog::info("curvecastd {} keeps runs in {}; gRPC on port {}, HTTP on port {}", CURVECAST_VERSION,
               config.store().directory(), (*daemon)->grpc_port(), (*daemon)->http_port());
  const std::string signal = signals.Wait();
  if (!signal.empty()) spdlog::info("{}: stopping", signal);
  (*daemon)->Stop();
  if (absl::Status failure = (*daemon)->Failure(); !failure.ok()) return Fail(failure, kFailed);
  spdlog::info("stopped; everything acknowledged is on disk");
  return kOk;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "curvecastd watches training runs: it keeps their points, forecasts where they end, and exports it all.");
  Flags flags;
  Describe(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  absl::StatusOr<curvecast::v1::Config> config = Configure(flags);
  if (!config.ok()) return Fail(config.status(), kUsage);
  if (flags.print_config) {
    std::cout << curvecast::PrintConfig(*config);
    return kOk;
  }
  if (flags.check_config) {
    std::cout << "the configuration is fine\n";
    return kOk;
  }
  const std::string& store = config->store().directory();
  if (flags.doctor) return Report(curvecast::DoctorStore(store, curvecast::WatchOptionsOf(*config)));
  if (!flags.backup.empty()) return Report(curvecast::BackUpStore(store, flags.backup));
  if (!flags.export_to.empty()) return Report(curvecast::ExportStore(store, flags.export_to, flags.runs));
  if (flags.salvage) return Report(curvecast::SalvageStore(store));
  spdlog::set_default_logger(spdlog::stderr_color_mt("curvecastd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(config->log().level()));
  return Serve(*config);
}
