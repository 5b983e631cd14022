#include "engine/sweep/length.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/divide.h"

namespace glia::sweep {

const char* name_of(Match match) {
  switch (match) {
    case Match::epochs: return "epochs";
    case Match::steps: return "steps";
    case Match::images: return "images";
  }
  return "?";
}

Match parse_match(std::string_view text) {
  for (const Match match : {Match::epochs, Match::steps, Match::images})
    if (text == name_of(match)) return match;
  fail("--match: found '{}', expected epochs, steps or images", text);
}

Length trial_length(Match match, std::int64_t epochs, std::int64_t first_batch, std::int64_t batch,
                    std::int64_t slices) {
  const std::int64_t an_epoch = slices / batch, first_epoch = slices / first_batch;
  if (match == Match::epochs || an_epoch == 0) return {.epochs = epochs};
  check(first_epoch > 0,
        "--match {}: the first batch size, {}, is larger than the {} training slices; it says how "
        "long all trials train",
        name_of(match), first_batch, slices);
  std::int64_t steps = epochs * first_epoch;
  if (match == Match::images)
    steps = std::max<std::int64_t>(1, (steps * first_batch + batch / 2) / batch);
  const bool whole = steps % an_epoch == 0;
  return {.epochs = ceil_div(steps, an_epoch), .max_steps = whole ? 0 : steps};
}

}  // namespace glia::sweep
