#include "client/examples/train_lm/checkpoint.h"

#include <array>
#include <cstdio>
#include <fstream>

#include "fmt/format.h"

namespace curvecast::train_lm {
namespace {

constexpr int64_t kMagic = 0x314D4C5443435643;  // Says what the file is.

void Put(std::ostream& out, const Eigen::VectorXf& vector) {
  out.write(reinterpret_cast<const char*>(vector.data()), vector.size() * static_cast<Eigen::Index>(sizeof(float)));
}

void Take(std::istream& in, Eigen::VectorXf& vector) {
  in.read(reinterpret_cast<char*>(vector.data()), vector.size() * static_cast<Eigen::Index>(sizeof(float)));
}

}  // namespace

absl::Status SaveCheckpoint(const std::string& path, int64_t step, const Eigen::VectorXf& parameters,
                            const Adam& adam) {
  const std::string unfinished = path + ".unfinished";
  std::ofstream out(unfinished, std::ios::binary);
  const std::array<int64_t, 3> head = {kMagic, step, parameters.size()};
  out.write(reinterpret_cast<const char*>(head.data()), sizeof(head));
  Put(out, parameters);
  Put(out, adam.mean);
  Put(out, adam.square);
  out.close();
  if (!out || std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return absl::UnavailableError(fmt::format("--save: cannot write the checkpoint \"{}\"", path));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> LoadCheckpoint(const std::string& path, Eigen::VectorXf& parameters, Adam& adam) {
  std::ifstream in(path, std::ios::binary);
  std::array<int64_t, 3> head = {};
  in.read(reinterpret_cast<char*>(head.data()), sizeof(head));
  if (!in || head[0] != kMagic) {
    return absl::NotFoundError(fmt::format("--resume: there is no checkpoint in \"{}\"", path));
  }
  if (head[2] != parameters.size()) {
    return absl::FailedPreconditionError(
        fmt::format("--resume: \"{}\" holds {} weights, this model has {}; give the same size and text", path, head[2],
                    parameters.size()));
  }
  Take(in, parameters);
  Take(in, adam.mean);
  Take(in, adam.square);
  if (!in) return absl::DataLossError(fmt::format("--resume: the checkpoint \"{}\" is cut short", path));
  return head[1];
}

}  // namespace curvecast::train_lm
