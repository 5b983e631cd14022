#include "apps/pictures/slice_files.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "engine/base/cores.h"
#include "engine/formats/npy.h"

namespace glia {

namespace {

constexpr std::size_t kSheetSlices = 12;  // a sheet is for a first look
constexpr std::size_t kWaitingEach = 4;   // slices a thread, so that none idles for long
constexpr const char* kSheet = "sheet.png";

}  // namespace

SliceFiles::SliceFiles(SliceFilesConfig config, int threads)
    : config_(std::move(config)), threads_(static_cast<std::size_t>(std::max(threads, 1))) {}

std::vector<std::string> SliceFiles::names_of(const std::string& id) const {
  std::vector<std::string> names{id + "_mask.png"};
  if (config_.npy) names.push_back(id + "_probability.npy");
  if (config_.masks_only) return names;
  for (const char* kind : {"_probability.png", "_overlay.png", "_triptych.png"})
    names.push_back(id + kind);
  return names;
}

std::vector<std::string> SliceFiles::names_of_all() const {
  if (config_.masks_only) return {};
  return {kSheet};
}

void SliceFiles::add(const std::string& id, Slice slice, std::vector<float> probability) {
  waiting_.push_back({id, std::move(slice), std::move(probability)});
  if (waiting_.size() == threads_ * kWaitingEach) flush();
}

void SliceFiles::finish() {
  flush();
  if (!sheet_.empty())
    write_png(config_.out / kSheet, contact_sheet(sheet_, sheet_.size() > 3 ? 2 : 1),
              config_.if_there);
}

/// Returns what the sheet shows of it; nothing when masks are all that is wanted.
Picture SliceFiles::write(const Waiting& one) const {
  const std::int64_t height = one.slice.height, width = one.slice.width;
  const auto mask = decide(one.probability, height, width, config_.threshold, config_.postprocess);
  const Plane prediction{mask, height, width}, likely{one.probability, height, width};
  const auto file = [&](const char* kind) { return config_.out / (one.id + "_" + kind); };
  const auto draw = [&](const char* kind, const Picture& picture) {
    write_png(file(kind), picture, config_.if_there);
  };
  draw("mask.png", mask_picture(prediction));
  if (config_.npy)
    write_npy<float>(file("probability.npy"), {height, width}, one.probability, true,
                     config_.if_there);
  if (config_.masks_only) return {};
  const Picture grey =
      channel_picture(one.slice.image, height, width, one.slice.channels, config_.channel);
  const Plane truth{one.slice.mask, height, width};
  Picture triptych = triptych_picture(grey, truth, likely, prediction);
  draw("probability.png", probability_picture(likely));
  draw("overlay.png", overlay_picture(grey, truth, prediction));
  draw("triptych.png", triptych);
  return triptych;
}

void SliceFiles::flush() {
  if (waiting_.empty()) return;
  std::atomic<std::size_t> next = 0;
  std::vector<Picture> shown(waiting_.size());
  std::vector<std::exception_ptr> errors(waiting_.size());
  const auto work = [&] {
    for (std::size_t i = next++; i < waiting_.size(); i = next++) try {
        shown[i] = write(waiting_[i]);
      } catch (...) {
        errors[i] = std::current_exception();
        next = waiting_.size();  // the others would fail too, or be in another program's way
      }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min(threads_, waiting_.size()); ++i)
      helpers.emplace_back([&] {
        use_given_cores();
        work();
      });
    work();
  }
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
  slices_ += waiting_.size();
  waiting_.clear();
  for (Picture& picture : shown)
    if (sheet_.size() < kSheetSlices && picture.width > 0) sheet_.push_back(std::move(picture));
}

}  // namespace glia
