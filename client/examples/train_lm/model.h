#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace curvecast::train_lm {

enum class Activation { kGelu, kTanh };

struct Shape {
  int vocabulary = 0;
  int context = 0;    // Symbols seen before the one that is predicted.
  int embedding = 0;  // Numbers per symbol.
  int width = 0;      // Units of each hidden layer.
  int layers = 1;     // Hidden layers; from the second on they add to what they are given.
  Activation activation = Activation::kGelu;
};

// Column b is one sample: `context` symbols, and the symbol that follows them.
struct Batch {
  Eigen::MatrixXi context;
  Eigen::VectorXi target;
};

// The neural language model of Bengio et al. 2003 ("A neural probabilistic language model"): the embeddings of the
// context side by side, hidden layers, a softmax over the vocabulary. Real is float for training, double for the test
// that compares the gradient, worked out by hand, with finite differences.
template <typename Real>
class Model {
 public:
  using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;

  Model(const Shape& shape, uint64_t seed);

  // All weights, one after the other; an optimizer or a checkpoint needs to know no more.
  Vector& parameters() { return parameters_; }

  // Mean cross entropy in nats.
  double Loss(const Batch& batch);
  // Likewise, with its gradient by `parameters`.
  double LossAndGradient(const Batch& batch, Vector& gradient);

 private:
  // Where one weight matrix (or, with one column, a bias) lies among the parameters.
  struct Block {
    Eigen::Index offset, rows, columns;
  };
  Block Reserve(Eigen::Index rows, Eigen::Index columns);
  void Fill(const Block& block, double deviation, uint64_t seed);
  Eigen::Map<const Matrix> Weights(const Block& block) const;
  static Eigen::Map<Matrix> Slice(Vector& vector, const Block& block);
  double Forward(const Batch& batch);

  Shape shape_;
  Vector parameters_;
  Eigen::Index size_ = 0;
  Block embedding_;
  std::vector<Block> hidden_, hidden_bias_;
  Block output_, output_bias_;

  // The last forward pass: inputs and sums of each hidden layer, then the softmax.
  std::vector<Matrix> inputs_, sums_;
  Matrix probabilities_;
};

extern template class Model<float>;
extern template class Model<double>;

}  // namespace curvecast::train_lm
