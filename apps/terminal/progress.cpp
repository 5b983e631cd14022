#include "apps/terminal/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <string_view>
#include <utility>

namespace glia {

namespace {

constexpr double kRedraw = 0.1;    // seconds between two drawings of the bar
constexpr double kLogLine = 5.0;   // seconds between two lines of a log
constexpr double kMeasured = 0.5;  // seconds without which a rate is noise
constexpr int kBarWidth = 24;

double system_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Whether the locale's characters are UTF-8, by the variables that decide it.
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string locale = value;
    for (char& c : locale) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

/// The first `columns` characters of UTF-8 text; bytes 10xxxxxx go on with a character.
std::string first_columns(const std::string& text, std::size_t columns) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (starts && columns-- == 0) break;
  }
  return text.substr(0, at);
}

int terminal_columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

bool terminal_draws() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) != 0 && kind != nullptr && std::string_view(kind) != "dumb";
}

std::string format_duration(double seconds) {
  // Beyond that (31 years) a number is a mistake, and a conversion to an integer might overflow.
  if (!(seconds >= 0 && seconds < 1e9)) return "?";
  const auto whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

Progress::Progress(std::string label, std::int64_t steps)
    : Progress(std::move(label), steps, std::cerr,
               {.terminal = terminal_draws(), .utf8 = locale_is_utf8()}) {}

Progress::Progress(std::string label, std::int64_t steps, std::ostream& out, Options options)
    : label_(std::move(label)), steps_(steps), out_(out), options_(std::move(options)) {
  if (!options_.seconds) options_.seconds = system_seconds;
  start_ = options_.seconds();
  // The bar may appear at once; a log hears of a loop only once it takes long.
  last_output_ = options_.terminal ? -std::numeric_limits<double>::infinity() : start_;
}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (!drawn_) return;
  out_ << "\r\x1b[K" << std::flush;
  drawn_ = false;
  last_output_ = -std::numeric_limits<double>::infinity();
}

void Progress::begin(std::int64_t step, std::int64_t images) {
  start_ = options_.seconds();
  first_step_ = step;
  first_image_ = images;
}

void Progress::update(std::int64_t step, const Figures& figures) {
  const double now = options_.seconds();
  const double share =
      steps_ > 0 ? (static_cast<double>(step) + figures.part) / static_cast<double>(steps_) : 0;
  if (options_.terminal) {
    if (now - last_output_ < kRedraw) return;
    last_output_ = now;
    draw(share, line(step, figures, now));
    return;
  }
  const auto tenths = static_cast<std::int64_t>(10 * share);
  if (tenths <= tenths_ || now - last_output_ < kLogLine) return;
  tenths_ = tenths;
  last_output_ = now;
  out_ << label_ << ": " << line(step, figures, now) << std::endl;
}

std::string Progress::line(std::int64_t step, const Figures& figures, double now) const {
  std::string text = fmt::format("{}/{}", step, steps_);
  if (figures.loss) text += fmt::format("  loss {:.4f}", *figures.loss);
  if (options_.terminal && options_.utf8 && !figures.curve.empty()) text += " " + figures.curve;
  if (figures.iou) text += fmt::format("  iou {:.4f}", *figures.iou);
  if (!figures.note.empty()) text += "  " + figures.note;
  const double seconds = now - start_, at = static_cast<double>(step) + figures.part;
  const double done = at - static_cast<double>(first_step_);
  const std::int64_t images = figures.images - first_image_;
  if (seconds < kMeasured) return text;
  if (images > 0) text += fmt::format("  {:.1f} images/s", static_cast<double>(images) / seconds);
  if (done > 0)
    text += fmt::format("  {} left",
                        format_duration(seconds / done * (static_cast<double>(steps_) - at)));
  return text;
}

void Progress::draw(double share, const std::string& text) {
  const auto done = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * kBarWidth);
  std::string all = fmt::format("{} [{:<{}}] {}", label_, std::string(done, '#'), kBarWidth, text);
  // A line that wraps cannot be erased; on a narrow terminal the bar goes first, then the end.
  const int columns = options_.columns > 0 ? options_.columns : terminal_columns();
  const auto room = static_cast<std::size_t>(std::max(columns - 1, 1));
  if (first_columns(all, room) != all) all = fmt::format("{} {}", label_, text);
  out_ << "\r\x1b[K" << first_columns(all, room) << std::flush;
  drawn_ = true;
}

}  // namespace glia
