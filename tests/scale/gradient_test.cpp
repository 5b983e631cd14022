// The gradient over ranks is that of the whole batch: judged by the loss in float64, and beside
// what is made wrong where sums are local or averaged.
#include <cmath>

#include "engine/base/rng.h"
#include "tests/catch.h"
#include "benchmarks/reference/table.h"
#include "tests/scale/rank_steps.h"

using namespace glia;
using namespace glia::test;

namespace {

using Vectors = std::vector<std::vector<float>>;

/// Directions in the space of all weights, of 1 and -1, and how the loss changes along each.
class Judge {
 public:
  Judge(const RankSettings& settings, const TestBatch& batch) : settings_(settings), batch_(batch) {
    const RankOutcome start = [&] {
      RankSettings none = settings;
      none.steps = 0;
      return train_ranks(none, batch, 1);
    }();
    start_ = start.weights;
    for (std::uint64_t d = 0; d < kDirections; ++d) {
      // All weights move at once: at 1e-6 some ReLUs change sides, which shows from 1e-3 on.
      constexpr double kDelta = 1e-7;
      truth_.push_back((loss(d, kDelta) - loss(d, -kDelta)) / (2 * kDelta));
    }
  }

  /// The gradient's relative error: root mean square over the directions.
  double error(const Vectors& gradient) const {
    double wrong = 0, all = 0;
    for (std::uint64_t d = 0; d < kDirections; ++d) {
      double along = 0;
      for_each(d,
               [&](std::size_t p, std::size_t i, double sign) { along += sign * gradient[p][i]; });
      wrong += std::pow(along - truth_[d], 2);
      all += std::pow(truth_[d], 2);
    }
    return std::sqrt(wrong / all);
  }
  double loss() const { return loss(0, 0); }

 private:
  static constexpr std::uint64_t kDirections = 6;

  template <class Fn>
  void for_each(std::uint64_t direction, const Fn& fn) const {
    Sequence random(17, direction);
    for (std::size_t p = 0; p < trained(); ++p)
      for (std::size_t i = 0; i < start_[p].size(); ++i)
        fn(p, i, random.below(2) == 0 ? 1.0 : -1.0);
  }
  std::size_t trained() const { return UNet(settings_.net).parameters().parameters().size(); }

  double loss(std::uint64_t direction, double delta) const {
    Device f64("reference", reference::table(), std::make_shared<SystemAllocator>(), 1);
    UNet net(settings_.net);
    net.parameters().allocate(f64, 0);
    const auto& all = net.parameters().parameters();
    for (std::size_t p = 0; p < all.size(); ++p) all[p].value.copy_from(start_[p]);
    for_each(direction, [&](std::size_t p, std::size_t i, double sign) {
      all[p].value.data<double>()[i] += sign * delta;
    });
    Tape tape(f64, Tape::Mode::off);
    nn::Pass pass{.tape = tape, .training = true, .seed = 3};
    const Tensor x = batch_.tensor<double>(f64, batch_.shape, batch_.images);
    const Tensor t = batch_.tensor<double>(f64, batch_.shape.with_channels(1), batch_.masks);
    const Objective objective = Objective::parse(settings_.loss, settings_.region, 1);
    return objective(tape, net.forward(pass, x), t).loss.item();
  }

  RankSettings settings_;
  const TestBatch& batch_;
  Vectors start_;
  std::vector<double> truth_;
};

/// Each rank by itself, and then what frameworks do by default: the mean of the gradients.
Vectors averaged(const RankSettings& settings, const TestBatch& batch, int ranks) {
  Vectors mean;
  const std::int64_t size = batch.shape[0] / ranks;
  for (int r = 0; r < ranks; ++r) {
    const Vectors one = train_ranks(settings, batch.part(r * size, size), 1).grads;
    if (r == 0) mean = one;
    for (std::size_t p = 0; p < one.size(); ++p)
      for (std::size_t i = 0; i < one[p].size(); ++i)
        mean[p][i] = r == 0 ? one[p][i] / static_cast<float>(ranks)
                            : mean[p][i] + one[p][i] / static_cast<float>(ranks);
  }
  return mean;
}

}  // namespace

TEST_CASE("ranks: the gradient is that of the whole batch", "[scale]") {
  const TestBatch batch(4);
  const TestBatch reversed = batch.reversed();
  struct Row {
    nn::NormKind norm;
    const char* loss;
    Region region;
    double dropout;
  };
  using Norm = nn::NormKind;
  for (const Row& row :
       {Row{Norm::batch, "iou", Region::batch, 0},
        Row{Norm::batch, "dice+0.5*bce", Region::image, 0},
        Row{Norm::batch, "bce", Region::batch, 0.2}, Row{Norm::group, "iou", Region::batch, 0.2},
        Row{Norm::group, "dice", Region::batch, 0}, Row{Norm::none, "iou+bce", Region::batch, 0},
        Row{Norm::none, "iou", Region::image, 0}}) {
    RankSettings settings{.loss = row.loss, .region = row.region};
    settings.net.norm = row.norm;
    settings.net.dropout = row.dropout;
    CAPTURE(name_of(row.norm), row.loss, name_of(row.region), row.dropout);
    const Judge judge(settings, batch);
    const RankOutcome whole = train_ranks(settings, batch, 1);
    CHECK(whole.losses[0] == Approx(judge.loss()).epsilon(1e-6));
    // A reversed batch has other dropout masks, so another gradient.
    const double rounding = row.dropout > 0
                                ? judge.error(whole.grads)
                                : std::max(judge.error(whole.grads),
                                           judge.error(train_ranks(settings, reversed, 1).grads));
    CHECK(rounding < 1e-5);
    for (const int ranks : {2, 4}) {
      const RankOutcome shared = train_ranks(settings, batch, ranks);
      CAPTURE(ranks, rounding);
      CHECK(shared.same_everywhere);
      CHECK(shared.losses[0] == Approx(judge.loss()).epsilon(1e-6));
      CHECK(shared.ious[0] == Approx(whole.ious[0]).epsilon(1e-6));
      // Their sums are added up in another order too, of which the reversed batch is a measure; six
      // directions know that to a factor of two or three.
      CHECK(judge.error(shared.grads) < 3 * rounding);
    }
  }
}

TEST_CASE("ranks: plain data parallelism has another gradient", "[scale]") {
  const TestBatch batch(4);
  for (const nn::NormKind norm : {nn::NormKind::batch, nn::NormKind::group}) {
    RankSettings settings;
    settings.net.norm = norm;
    const Judge judge(settings, batch);
    CAPTURE(name_of(norm));
    CHECK(judge.error(averaged(settings, batch, 4)) > 5e-3);
  }
}
