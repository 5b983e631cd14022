// How long trials with different batch sizes train, so that they can be compared.
#pragma once

#include <cstdint>
#include <string_view>

namespace glia::sweep {

/// What all trials have the same number of. At the same number of epochs a batch of 12 makes a
/// third of the optimizer steps that a batch of 4 makes.
enum class Match { epochs, steps, images };

const char* name_of(Match match);
/// Throws `Error` listing the choices.
Match parse_match(std::string_view text);

struct Length {
  std::int64_t epochs = 0;
  std::int64_t max_steps = 0;  // 0: whole epochs
};

/// The length of a trial with `batch` in a study whose first batch size is `first_batch`. With
/// `Match::steps` every trial makes as many steps as `epochs` epochs of the first have; with
/// `Match::images` as many as come nearest to the images seen in them, at most half a batch off.
/// An epoch has slices / batch steps, rounded down. A batch larger than `slices` gets `epochs`
/// epochs: training refuses it.
Length trial_length(Match match, std::int64_t epochs, std::int64_t first_batch, std::int64_t batch,
                    std::int64_t slices);

}  // namespace glia::sweep
