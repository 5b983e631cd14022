#include "engine/metrics/bootstrap.h"

#include <map>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "engine/metrics/percentile.h"

namespace glia {

namespace {

constexpr std::uint64_t kStream = 0x626F6F74;  // "boot"

/// What a patient adds to a mean: to its sum and to the number of what is averaged.
struct Part {
  double sum = 0, count = 0;

  void add(const std::optional<double>& value) {
    if (!value) return;
    sum += *value;
    count += 1;
  }
  Part& operator+=(const Part& other) {
    sum += other.sum;
    count += other.count;
    return *this;
  }
  std::optional<double> mean() const {
    if (count == 0) return std::nullopt;
    return sum / count;
  }
};

/// What a resample takes from one patient. The parts are those of the mean over slices of every
/// score, of the mean over patients of every score, and of the false-positive rate.
struct Patient {
  Counts counts;
  std::vector<Part> parts;
};

std::vector<Patient> collect(const Evaluation& evaluation) {
  const auto scores = all_scores();
  const std::size_t n = scores.size();
  std::vector<Patient> patients;
  std::map<std::string, std::size_t> index;
  for (const Case& item : evaluation.patients()) {
    index[item.patient] = patients.size();
    Patient& patient = patients.emplace_back(Patient{item.counts, std::vector<Part>(2 * n + 1)});
    for (std::size_t s = 0; s < n; ++s) patient.parts[n + s].add(scores[s].of(item));
  }
  for (const Case& slice : evaluation.slices()) {
    Patient& patient = patients[index.at(slice.patient)];
    for (std::size_t s = 0; s < n; ++s) patient.parts[s].add(scores[s].of(slice));
    if (slice.counts.truth_empty())
      patient.parts.back().add(slice.counts.prediction_empty() ? 0.0 : 1.0);
  }
  return patients;
}

/// Averages of one kind by resample, and where their interval belongs.
struct Replicates {
  Average* average;
  std::vector<double> values = {};

  void add(const std::optional<double>& value) {
    if (value) values.push_back(*value);
  }
  void finish(double level) {
    if (values.empty()) return;
    const double tail = (1 - level) / 2;
    const double low = percentile(values, tail);
    average->interval = Interval{low, percentile(values, 1 - tail)};
  }
};

}  // namespace

std::vector<std::size_t> resample(std::uint64_t seed, std::int64_t number, std::size_t count) {
  const Random random(seed, kStream);
  const std::uint64_t first = static_cast<std::uint64_t>(number) * count;
  std::vector<std::size_t> places;
  for (std::uint64_t i = 0; i < count; ++i)
    places.push_back((std::uint64_t{random.word(first + i)} * count) >> 32);
  return places;
}

void add_intervals(Summary& summary, const Evaluation& evaluation, const BootstrapConfig& config) {
  check(config.level > 0 && config.level < 1 && config.resamples >= 1,
        "bootstrap: level {} and {} resamples; expected 0 < level < 1 and at least one resample",
        config.level, config.resamples);
  if (summary.slices_of_unknown_patient > 0 || summary.patients < 2) return;
  const std::vector<Patient> patients = collect(evaluation);
  const auto scores = all_scores();
  std::vector<Replicates> means, pooled;  // the means in the order of a patient's parts
  for (const Score& score : scores) means.push_back({&(summary.per_slice.*score.average)});
  for (const Score& score : scores) means.push_back({&(summary.per_patient.*score.average)});
  means.push_back({&summary.false_positive_rate});
  for (const Score& score : scores) pooled.push_back({&(summary.pooled.*score.average)});

  for (std::int64_t b = 0; b < config.resamples; ++b) {
    Case all;
    std::vector<Part> sums(means.size());
    for (const std::size_t place : resample(config.seed, b, patients.size())) {
      all.counts += patients[place].counts;
      for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += patients[place].parts[k];
    }
    for (std::size_t k = 0; k < sums.size(); ++k) means[k].add(sums[k].mean());
    for (std::size_t s = 0; s < scores.size(); ++s) pooled[s].add(scores[s].of(all));
  }
  for (auto* kind : {&means, &pooled})
    for (Replicates& replicates : *kind) replicates.finish(config.level);
}

}  // namespace glia
