#include "client/examples/train_lm/model.h"

#include <cmath>
#include <numbers>

#include "client/examples/train_lm/random.h"

namespace curvecast::train_lm {
namespace {

// GELU in the form with tanh (Hendrycks and Gimpel 2016).
constexpr double kGeluCubic = 0.044715;
const double kGeluScale = std::sqrt(2 / std::numbers::pi);

template <typename Matrix>
Matrix Activate(const Matrix& sum, Activation activation) {
  using Real = typename Matrix::Scalar;
  const auto x = sum.array();
  if (activation == Activation::kTanh) return x.tanh().matrix();
  const auto inner = Real(kGeluScale) * (x + Real(kGeluCubic) * x.cube());
  return (Real(0.5) * x * (1 + inner.tanh())).matrix();
}

template <typename Matrix>
Matrix Slope(const Matrix& sum, Activation activation) {
  using Real = typename Matrix::Scalar;
  const auto x = sum.array();
  if (activation == Activation::kTanh) return (1 - x.tanh().square()).matrix();
  const Matrix t = (Real(kGeluScale) * (x + Real(kGeluCubic) * x.cube())).tanh().matrix();
  const auto inner_slope = Real(kGeluScale) * (1 + Real(3 * kGeluCubic) * x.square());
  return (Real(0.5) * (1 + t.array()) + Real(0.5) * x * (1 - t.array().square()) * inner_slope).matrix();
}

}  // namespace

template <typename Real>
Model<Real>::Model(const Shape& shape, uint64_t seed) : shape_(shape) {
  embedding_ = Reserve(shape.embedding, shape.vocabulary);
  for (int layer = 0; layer < shape.layers; ++layer) {
    hidden_.push_back(Reserve(shape.width, layer == 0 ? shape.embedding * shape.context : shape.width));
    hidden_bias_.push_back(Reserve(shape.width, 1));
  }
  output_ = Reserve(shape.vocabulary, shape.width);
  output_bias_ = Reserve(shape.vocabulary, 1);
  parameters_ = Vector::Zero(size_);
  Fill(embedding_, 1, Mix(seed, 0));
  for (size_t layer = 0; layer < hidden_.size(); ++layer) {
    Fill(hidden_[layer], 1 / std::sqrt(static_cast<double>(hidden_[layer].columns)), Mix(seed, 1 + layer));
  }
  Fill(output_, 0.1 / std::sqrt(static_cast<double>(shape.width)), Mix(seed, 1 + hidden_.size()));
  inputs_.resize(hidden_.size() + 1);
  sums_.resize(hidden_.size());
}

template <typename Real>
auto Model<Real>::Reserve(Eigen::Index rows, Eigen::Index columns) -> Block {
  const Block block{size_, rows, columns};
  size_ += rows * columns;
  return block;
}

template <typename Real>
void Model<Real>::Fill(const Block& block, double deviation, uint64_t seed) {
  Random random(seed);
  for (Eigen::Index i = 0; i < block.rows * block.columns; ++i) {
    parameters_(block.offset + i) = static_cast<Real>(deviation * random.Normal());
  }
}

template <typename Real>
auto Model<Real>::Weights(const Block& block) const -> Eigen::Map<const Matrix> {
  return {parameters_.data() + block.offset, block.rows, block.columns};
}

template <typename Real>
auto Model<Real>::Slice(Vector& vector, const Block& block) -> Eigen::Map<Matrix> {
  return {vector.data() + block.offset, block.rows, block.columns};
}

template <typename Real>
double Model<Real>::Forward(const Batch& batch) {
  const Eigen::Index size = batch.target.size();
  const auto table = Weights(embedding_);
  Matrix& first = inputs_[0];
  first.resize(shape_.embedding * shape_.context, size);
  for (Eigen::Index b = 0; b < size; ++b) {
    for (Eigen::Index c = 0; c < shape_.context; ++c) {
      first.block(c * shape_.embedding, b, shape_.embedding, 1) = table.col(batch.context(c, b));
    }
  }
  for (size_t layer = 0; layer < hidden_.size(); ++layer) {
    sums_[layer].noalias() = Weights(hidden_[layer]) * inputs_[layer];
    sums_[layer].colwise() += Weights(hidden_bias_[layer]).col(0);
    inputs_[layer + 1] = Activate(sums_[layer], shape_.activation);
    if (layer > 0) inputs_[layer + 1] += inputs_[layer];
  }
  probabilities_.noalias() = Weights(output_) * inputs_.back();
  probabilities_.colwise() += Weights(output_bias_).col(0);
  double loss = 0;
  for (Eigen::Index b = 0; b < size; ++b) {
    auto column = probabilities_.col(b).array();
    column -= column.maxCoeff();  // The softmax does not change, and exp cannot overflow.
    const Real target = column(batch.target(b));
    column = column.exp();
    const Real sum = column.sum();
    column /= sum;
    loss += std::log(static_cast<double>(sum)) - static_cast<double>(target);
  }
  return loss / static_cast<double>(size);
}

template <typename Real>
double Model<Real>::Loss(const Batch& batch) {
  return Forward(batch);
}

template <typename Real>
double Model<Real>::LossAndGradient(const Batch& batch, Vector& gradient) {
  const double loss = Forward(batch);
  const Eigen::Index size = batch.target.size();
  gradient.setZero(size_);
  // The gradient of softmax and cross entropy by what goes into them: probability minus one where the target is.
  Matrix& error = probabilities_;
  for (Eigen::Index b = 0; b < size; ++b) error(batch.target(b), b) -= 1;
  error /= static_cast<Real>(size);
  Slice(gradient, output_).noalias() = error * inputs_.back().transpose();
  Slice(gradient, output_bias_) = error.rowwise().sum();
  Matrix back = Weights(output_).transpose() * error;
  for (size_t layer = hidden_.size(); layer-- > 0;) {
    const Matrix at_sum = back.cwiseProduct(Slope(sums_[layer], shape_.activation));
    Slice(gradient, hidden_[layer]).noalias() = at_sum * inputs_[layer].transpose();
    Slice(gradient, hidden_bias_[layer]) = at_sum.rowwise().sum();
    const Matrix through = Weights(hidden_[layer]).transpose() * at_sum;
    back = layer > 0 ? Matrix(back + through) : through;
  }
  auto table = Slice(gradient, embedding_);
  for (Eigen::Index b = 0; b < size; ++b) {
    for (Eigen::Index c = 0; c < shape_.context; ++c) {
      table.col(batch.context(c, b)) += back.block(c * shape_.embedding, b, shape_.embedding, 1);
    }
  }
  return loss;
}

template class Model<float>;
template class Model<double>;

}  // namespace curvecast::train_lm
