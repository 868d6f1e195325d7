#include "core/watch/lanes.h"

// One function for each width of vectors, picked when the program starts. Sanitizers do not bear that.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define CURVECAST_WIDTHS __attribute__((target_clones("avx2", "default")))
#else
#define CURVECAST_WIDTHS
#endif

namespace curvecast::lanes {
namespace {

// kWidth columns at a time, wherever they lie. Written twice, since each compiler passes over the alignment in the
// other's form: then it takes the columns for aligned, and what is built with wide vectors crashes.
#ifdef __clang__
typedef double Lane __attribute__((vector_size(kWidth * sizeof(double)), aligned(sizeof(double)), may_alias));
#else
using Lane = double __attribute__((vector_size(kWidth * sizeof(double)), aligned(sizeof(double)), may_alias));
#endif
static_assert(alignof(Lane) == alignof(double));

constexpr size_t kStates = static_cast<size_t>(Reference::kStates);
constexpr size_t kStateLanes = kStates / kWidth;
constexpr size_t kLanes = kEffects / kWidth;
static_assert(kStates % kWidth == 0 && kEffects % kWidth == 0);

}  // namespace

CURVECAST_WIDTHS
void Gain(const Reference::Matrix& covariance, const Reference::Vector& row, Reference::Vector& gain) {
  const auto* column = reinterpret_cast<const Lane*>(covariance.data());
  auto* out = reinterpret_cast<Lane*>(gain.data());
  Lane sum[kStateLanes] = {};
  for (size_t k = 0; k < kStates; ++k) {
#pragma GCC unroll 8
    for (size_t lane = 0; lane < kStateLanes; ++lane) sum[lane] += row.data()[k] * column[kStateLanes * k + lane];
  }
#pragma GCC unroll 8
  for (size_t lane = 0; lane < kStateLanes; ++lane) out[lane] = sum[lane];
}

CURVECAST_WIDTHS
void Downdate(Reference::Matrix& covariance, const Reference::Vector& gain, double total) {
  auto* column = reinterpret_cast<Lane*>(covariance.data());
  const auto* of = reinterpret_cast<const Lane*>(gain.data());
  const double share = 1 / total;
  for (size_t k = 0; k < kStates; ++k) {
    const double part = share * gain.data()[k];
    for (size_t lane = 0; lane < kStateLanes; ++lane) column[kStateLanes * k + lane] -= part * of[lane];
  }
}

CURVECAST_WIDTHS
void Follow(const Faults& faults, const double* row, const double* gain, double weight, double weighted_innovation) {
  auto* state = reinterpret_cast<Lane*>(faults.state);
  auto* square = reinterpret_cast<Lane*>(faults.square);
  auto* product = reinterpret_cast<Lane*>(faults.product);
  const auto* course = reinterpret_cast<const Lane*>(faults.course);
  // All lanes beside each other: one alone would wait for its own sum.
  Lane left[kLanes];
#pragma GCC unroll 8
  for (size_t lane = 0; lane < kLanes; ++lane) left[lane] = course[lane];
  for (size_t k = 0; k < faults.rows; ++k) {
#pragma GCC unroll 8
    for (size_t lane = 0; lane < kLanes; ++lane) left[lane] -= row[k] * state[kLanes * k + lane];
  }
#pragma GCC unroll 8
  for (size_t lane = 0; lane < kLanes; ++lane) {
    square[lane] += weight * (left[lane] * left[lane]);
    product[lane] += weighted_innovation * left[lane];
    left[lane] *= weight;
  }
  for (size_t k = 0; k < faults.rows; ++k) {
#pragma GCC unroll 8
    for (size_t lane = 0; lane < kLanes; ++lane) state[kLanes * k + lane] += gain[k] * left[lane];
  }
}

CURVECAST_WIDTHS
bool AnyBeyond(const double* product, const double* square, double most) {
  using Mask = decltype(Lane{} > Lane{});
  Mask any = {};
  for (size_t lane = 0; lane < kLanes; ++lane) {
    const Lane p = reinterpret_cast<const Lane*>(product)[lane];
    any |= p * p > most * reinterpret_cast<const Lane*>(square)[lane];
  }
  return (any[0] | any[1] | any[2] | any[3]) != 0;
}

}  // namespace curvecast::lanes
