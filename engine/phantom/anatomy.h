// An invented head: where skull-stripped brain, ventricles, folds and a tumour lie in one patient,
// and how bright each is in FLAIR, T1 and contrast-enhanced T1. Millimetres; x to the right, y to
// the back, z to the top, the origin in the middle of the brain.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/base/rng.h"

namespace glia {

/// Smooth noise in [-1, 1]: random values on a periodic 32³ lattice, interpolated.
class NoiseField {
 public:
  explicit NoiseField(Random random);
  /// One unit of a coordinate is one lattice step.
  double at(double x, double y, double z) const;

 private:
  std::vector<float> lattice_;
};

using Point = std::array<double, 3>;
/// FLAIR, T1, T1 with contrast agent; normal white matter in T1 is 1, air is 0.
using Signal = std::array<double, 3>;

struct TissuePoint {
  bool brain = false, tumour = false;
  Signal signal{};
};

/// One patient, a pure function of (seed, patient).
class Anatomy {
 public:
  Anatomy(std::uint64_t seed, std::int64_t patient);
  /// What lies at `p`, before bias field, blur and noise.
  TissuePoint at(const Point& p) const;

 private:
  struct Lesion {
    Point centre{}, core_centre{}, stretch{};
    double radius = 0, core_radius = 0, flair = 0, t1 = 0, enhancement = 0, necrosis = 0, push = 0;
  };
  struct Spot {
    Point centre{};
    double radius = 0, flair = 0;
  };
  struct Mix {
    double fluid = 0, grey = 0;  // the rest is white matter
  };

  Point inside(Sequence& draw, double low, double high) const;
  Lesion draw_lesion(Sequence& draw) const;
  Point displaced(const Point& p) const;
  double depth(const Point& p) const;
  double ventricle_distance(const Point& p) const;
  Mix tissue(const Point& p, double depth, double ventricle) const;
  void add_bright_spots(const Point& p, double ventricle, Signal& signal) const;
  void add_vessels(const Point& p, double depth, const Mix& mix, Signal& signal) const;
  bool add_lesion(const Point& p, const Mix& mix, Signal& signal) const;

  NoiseField noise_;
  double half_width_, half_length_, half_height_, ventricle_size_, fold_width_, cap_flair_;
  std::array<double, 2> side_shift_{};
  Signal white_{}, grey_{}, fluid_{};
  Lesion lesion_;
  std::vector<Spot> spots_;
};

}  // namespace glia
