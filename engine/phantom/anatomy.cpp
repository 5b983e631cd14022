// All shapes are distances in millimetres made irregular by one noise field; all borders are soft,
// as partial volume makes them in a scanner.
#include "engine/phantom/anatomy.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace glia {
namespace {

constexpr std::int64_t kLattice = 32;

/// 0 below `from`, 1 above `to`, smooth between; `from` may be the greater.
double ramp(double from, double to, double x) {
  const double t = std::clamp((x - from) / (to - from), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

double bell(double x) {
  return std::exp(-x * x);
}

double distance(const Point& a, const Point& b, const Point& stretch = {1, 1, 1}) {
  double sum = 0;
  for (std::size_t i = 0; i < 3; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]) * stretch[i];
  return std::sqrt(sum);
}

void blend(Signal& signal, const Signal& other, double weight) {
  for (std::size_t i = 0; i < 3; ++i) signal[i] += weight * (other[i] - signal[i]);
}

Random random_of(std::uint64_t seed, std::int64_t patient, std::uint64_t purpose) {
  return {seed, (static_cast<std::uint64_t>(patient) << 8) | purpose};
}

}  // namespace

NoiseField::NoiseField(Random random) : lattice_(kLattice * kLattice * kLattice) {
  for (std::size_t i = 0; i < lattice_.size(); ++i)
    lattice_[i] = static_cast<float>(2 * random.uniform(i) - 1);
}

double NoiseField::at(double x, double y, double z) const {
  const std::array<double, 3> p = {x, y, z};
  std::array<std::array<std::int64_t, 2>, 3> cell{};
  std::array<double, 3> t{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double floor = std::floor(p[i]);
    t[i] = ramp(0, 1, p[i] - floor);
    const auto index = static_cast<std::int64_t>(floor);
    cell[i] = {index & (kLattice - 1), (index + 1) & (kLattice - 1)};
  }
  double sum = 0;
  for (std::size_t corner = 0; corner < 8; ++corner) {
    const std::size_t i = corner & 1, j = (corner >> 1) & 1, k = corner >> 2;
    const double weight = (i ? t[0] : 1 - t[0]) * (j ? t[1] : 1 - t[1]) * (k ? t[2] : 1 - t[2]);
    const auto at = (cell[2][k] * kLattice + cell[1][j]) * kLattice + cell[0][i];
    sum += weight * lattice_[static_cast<std::size_t>(at)];
  }
  return sum;
}

Anatomy::Anatomy(std::uint64_t seed, std::int64_t patient) : noise_(random_of(seed, patient, 0)) {
  const Random random = random_of(seed, patient, 1);
  Sequence draw(seed, (static_cast<std::uint64_t>(patient) << 8) | 2);
  half_width_ = 66 + 3 * random.normal(0);
  half_length_ = 83 + 3 * random.normal(1);
  half_height_ = 64 + 2 * random.normal(2);
  ventricle_size_ = draw.uniform(0.6, 1.6);
  fold_width_ = draw.uniform(0.6, 1.5);
  cap_flair_ = draw.uniform(0.0, 0.45);
  side_shift_ = {draw.uniform(0, 9), draw.uniform(0, 9)};
  // Relative brightness as seen in the three sequences; the contrast between grey and white
  // matter varies most, with age and with the scanner.
  const double contrast = draw.uniform(0.5, 1.2), flair_contrast = draw.uniform(0.3, 1.2);
  white_ = {0.74, 1.0, 0.95};
  grey_ = {0.74 + 0.14 * flair_contrast, 1.0 - 0.26 * contrast, 0.95 - 0.16 * contrast};
  fluid_ = {draw.uniform(0.12, 0.3), draw.uniform(0.3, 0.42), draw.uniform(0.3, 0.42)};
  lesion_ = draw_lesion(draw);
  for (std::uint64_t i = draw.below(12); i > 0; --i)
    spots_.push_back({inside(draw, 0.15, 0.75), draw.uniform(2.5, 9), draw.uniform(0.3, 0.9)});
}

/// A point whose distance from the middle is between `low` and `high` of the way to the surface.
Point Anatomy::inside(Sequence& draw, double low, double high) const {
  const double angle = draw.uniform(0, 2 * std::numbers::pi), share = draw.uniform(low, high);
  return {share * half_width_ * std::cos(angle), share * half_length_ * std::sin(angle),
          draw.uniform(-16, 30)};
}

Anatomy::Lesion Anatomy::draw_lesion(Sequence& draw) const {
  Lesion lesion;
  lesion.centre = inside(draw, 0.35, 0.72);
  lesion.radius = draw.uniform(22, 46);
  for (double& s : lesion.stretch) s = draw.uniform(0.6, 1.8);
  lesion.stretch[2] *= 0.6;
  lesion.core_radius = lesion.radius * draw.uniform(0.3, 0.65);
  lesion.core_centre = lesion.centre;
  for (double& c : lesion.core_centre) c += draw.uniform(-0.3, 0.3) * lesion.radius;
  lesion.flair = draw.uniform(0.98, 1.6);
  lesion.t1 = draw.uniform(0.62, 0.85);
  // About one tumour in four is of low grade: hardly any contrast agent leaks into it.
  lesion.enhancement = draw.chance(0.27) ? draw.uniform(0.8, 0.95) : draw.uniform(1.3, 2.3);
  lesion.necrosis = draw.uniform(0.5, 0.85);
  lesion.push = draw.uniform(0.0, 0.3);
  return lesion;
}

/// The growing tumour pushes healthy tissue away from its centre; sampling the healthy anatomy
/// nearer to the centre has that effect.
Point Anatomy::displaced(const Point& p) const {
  const double d = distance(p, lesion_.centre) / (1.3 * lesion_.radius);
  const double pull = lesion_.push * bell(d);
  Point q = p;
  for (std::size_t i = 0; i < 3; ++i) q[i] += pull * (lesion_.centre[i] - p[i]);
  return q;
}

/// Distance below the brain's surface, negative outside.
double Anatomy::depth(const Point& p) const {
  const auto [x, y, z] = p;
  const double width = half_width_ * (1 + 0.1 * y / half_length_);
  const double radius = std::sqrt(x * x / (width * width) + y * y / (half_length_ * half_length_) +
                                  z * z / (half_height_ * half_height_));
  const double wobble = 3.0 * noise_.at(x / 24, y / 24, z / 24) +
                        1.5 * noise_.at(x / 8 + 7, y / 8, z / 12) +
                        0.7 * noise_.at(x / 3, y / 3 + 5, z / 6);
  const double notch = 6 * bell(x / 4) * ramp(30, 60, std::abs(y));
  return (1 - radius) * half_width_ + wobble - notch;
}

/// Distance to the nearest fluid-filled chamber, negative inside.
double Anatomy::ventricle_distance(const Point& p) const {
  const auto [x, y, z] = p;
  const double wobble = 1.2 * noise_.at(x / 7 + 3, y / 7, z / 9);
  const double height = (z - 9) / 18;
  const double extent = 1 - height * height;
  double nearest = 100;
  if (extent > 0) {
    const double along = (y - 2) / (33 * std::sqrt(extent));
    const double middle = 4.5 + 11 * along * along + 3 * std::max(0.0, height);
    const double half = (2 + 4 * std::min(1.0, std::abs(along) * 1.4)) * ventricle_size_ *
                        std::sqrt(std::max(0.0, 1 - along * along)) * std::sqrt(extent);
    const double beyond = 33 * std::max(0.0, std::abs(along) - 1);
    nearest = std::hypot(std::max(0.0, std::abs(std::abs(x) - middle) - half), beyond);
    if (nearest == 0) nearest = std::abs(std::abs(x) - middle) - half;
  }
  const double third =
      std::max({std::abs(x) - 1.5 * ventricle_size_, std::abs(y - 10) - 9, std::abs(z + 9) - 12});
  const double fourth = distance(p, {0, 32, -30}, {1, 1, 0.5}) - 5 * ventricle_size_;
  const double cistern = distance(p, {0, -9, -33}, {0.7, 0.9, 0.6}) - 11;
  return std::min({nearest, third, fourth, cistern}) + wobble;
}

/// Folds run inwards from the surface, so their noise is sampled along (angle, depth, height); the
/// angle is mirrored, which makes the halves alike, and warped by each side, which keeps them from
/// being equal.
Anatomy::Mix Anatomy::tissue(const Point& p, double depth, double ventricle) const {
  const auto [x, y, z] = p;
  const double shift = side_shift_[x < 0 ? 0 : 1];
  const double warp = 3.0 * noise_.at(x / 15, y / 15 + shift, z / 15);
  const double angle = 62 * std::atan2(std::abs(x), -y) + warp;
  const double level = noise_.at(angle / 10, depth / 17 + 0.1 * warp, z / 12 + shift / 9) +
                       0.15 * noise_.at(x / 4, y / 4, z / 6 + shift);
  const double fold = std::abs(level) + ramp(9, 34, depth);

  const double fissure_x = std::abs(x + 1.5 * noise_.at(y / 14, z / 14, 3));
  const bool open = std::abs(y) > 36 || z > 28;
  const double fissure = fissure_x + (open ? 0 : 40);
  const double sylvian = std::abs(y + 16 + 0.35 * (std::abs(x) - 34) + warp) +
                         3 * ramp(46, 30, std::abs(x)) + 30 * ramp(8, 20, std::abs(z + 6)) +
                         30 * ramp(30, 24, std::abs(x));

  Mix mix;
  mix.fluid = std::max({ramp(0.5, -0.5, ventricle), 0.9 * ramp(0.13, 0.03, fold / fold_width_),
                        0.9 * ramp(1.6, 0.5, fissure), 0.9 * ramp(2.2, 0.8, sylvian),
                        0.55 * ramp(1.6, 0.2, depth)});
  const double thalamus = distance({std::abs(x), y, z}, {13, 11, 3}, {1.5, 0.7, 0.7}) - 10;
  const double basal = distance({std::abs(x), y, z}, {24, -5, 3}, {2.4, 0.5, 0.7}) - 10;
  const double cerebellum = distance(p, {0, 50, -40}, {0.35, 1, 1.2}) - 27;
  const double folia = 0.5 + 0.5 * std::sin(1.4 * cerebellum + warp);
  mix.grey = std::max({ramp(0.5, 0.3, fold), ramp(4.0, 2.5, depth + 0.8 * warp),
                       ramp(4.5, 3, fissure), ramp(6, 4, sylvian), 0.7 * ramp(1, -1, thalamus),
                       0.9 * ramp(1, -1, basal), folia * ramp(1, -1, cerebellum)});
  return mix;
}

/// What fools a threshold on FLAIR: white-matter spots of age, caps beside the ventricles, and
/// bright remains at the surface. None of them shows in T1, none is tumour.
void Anatomy::add_bright_spots(const Point& p, double ventricle, Signal& signal) const {
  signal[0] += cap_flair_ * bell(std::max(0.0, ventricle) / 3) * ramp(-1, 1, ventricle) *
               ramp(20, 28, std::abs(p[1] - 2)) * ramp(-12, -4, p[2]);
  for (const Spot& spot : spots_) {
    const double d = distance(p, spot.centre, {1, 1, 0.4}) / spot.radius +
                     0.4 * noise_.at(p[0] / 4, p[1] / 4, p[2] / 4 + 9);
    signal[0] += spot.flair * ramp(1.2, 0.6, d);
  }
}

void Anatomy::add_vessels(const Point& p, double depth, const Mix& mix, Signal& signal) const {
  const auto [x, y, z] = p;
  const double vessel = ramp(0.45, 0.6, noise_.at(x / 2.5, y / 2.5, z / 7)) * mix.fluid *
                        ramp(30, 20, depth) * ramp(-2, 1, depth);
  const double sinus = ramp(6, 3, depth) * ramp(5, 3, std::abs(x)) * ramp(62, 68, y);
  const double remains = ramp(3, 1, depth) * ramp(0.35, 0.6, noise_.at(x / 14, y / 14, z / 14 + 5));
  signal[2] += 1.1 * std::max(vessel, sinus);
  signal[0] += 0.8 * remains;
}

/// Oedema spreads along white matter and spares the cortex; the core inside it takes up contrast
/// agent in a ring around dead tissue.
bool Anatomy::add_lesion(const Point& p, const Mix& mix, Signal& signal) const {
  const auto [x, y, z] = p;
  const double wide = noise_.at(x / 12 + 11, y / 12, z / 14), fine = noise_.at(x / 4, y / 4, z / 6);
  const double rough = 0.42 * wide + 0.14 * fine;
  const double core = distance(p, lesion_.core_centre) / lesion_.core_radius + 0.7 * rough;
  const double reach =
      distance(p, lesion_.centre, lesion_.stretch) / lesion_.radius + rough + 0.3 * mix.grey;
  const double oedema_weight = ramp(1.05, 0.85, reach) * (1 - 0.8 * mix.fluid);
  const double core_weight = ramp(1.06, 0.94, core);
  if (oedema_weight == 0 && core_weight == 0) return false;

  const double patchy = 1 + 0.12 * noise_.at(x / 5, y / 5 + 9, z / 7);
  const double t1 = lesion_.t1 * (2 - patchy);
  blend(signal, {lesion_.flair * patchy, t1, t1 * 0.95}, oedema_weight);
  const double dead = ramp(0.78, 0.6, core);
  const double ring = lesion_.enhancement * (1 + 0.4 * fine);
  const Signal rim = {0.8 * lesion_.flair * patchy, 0.95 * t1, std::max(ring, t1)};
  blend(signal, rim, core_weight);
  blend(signal, {lesion_.necrosis * patchy, 0.75 * t1, 0.75 * t1}, dead);
  return std::max(oedema_weight, core_weight) > 0.5;
}

TissuePoint Anatomy::at(const Point& p) const {
  const Point healthy = displaced(p);
  TissuePoint result;
  const double below = depth(p);
  if (below <= 0) return result;
  result.brain = true;
  const double ventricle = ventricle_distance(healthy);
  const Mix mix = tissue(healthy, below, ventricle);
  result.signal = white_;
  blend(result.signal, grey_, mix.grey);
  add_bright_spots(p, ventricle, result.signal);
  const double texture = 1 + 0.05 * noise_.at(p[0] / 3.5, p[1] / 3.5, p[2] / 4) +
                         0.06 * noise_.at(p[0] / 18, p[1] / 18 + 4, p[2] / 18);
  for (double& value : result.signal) value *= texture;
  blend(result.signal, fluid_, mix.fluid);
  add_vessels(p, below, mix, result.signal);
  result.tumour = add_lesion(p, mix, result.signal);
  return result;
}

}  // namespace glia
