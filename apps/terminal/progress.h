// How far a long loop is: a bar on a terminal, plain lines in a log.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

namespace glia {

/// Shows one loop of `steps` steps. On a terminal a single line is redrawn in place, at most ten
/// times a second, and erased at the end; elsewhere a line without control characters is written
/// when another tenth of the loop is done, at most one every five seconds.
class Progress {
 public:
  /// What is shown beside the step; a figure that is absent is left out.
  struct Figures {
    std::int64_t images = 0;  // done so far, for the rate; a volume has as many as slices
    double part = 0;          // of the next step, 0 to 1
    std::string note = {};    // what is being done
    std::optional<double> loss = {}, iou = {};
    std::string curve = {};  // of the loss (apps/terminal/sparkline.h), on a UTF-8 terminal
  };

  struct Options {
    bool terminal = false, utf8 = false;
    int columns = 0;  // of the terminal; 0 asks the terminal of the standard error stream
    std::function<double()> seconds = {};  // clock that only goes forward; the system's when empty
  };

  /// For the standard error stream: a bar if that is a terminal that understands control
  /// sequences, else lines.
  Progress(std::string label, std::int64_t steps);
  Progress(std::string label, std::int64_t steps, std::ostream& out, Options options);
  /// Erases the bar, so that an error message starts on a clean line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Takes now as the time from which rate and time left are measured, where the loop goes on from
  /// `step` or has begun before there was a display. Else they count from the start of its life.
  void begin(std::int64_t step, std::int64_t images);

  /// Says that `step` steps are done (1 after the first). Rate and time left are shown once there
  /// is half a second to measure them by.
  void update(std::int64_t step, const Figures& figures);

  /// Erases the bar before something else is printed; the next update draws it again.
  void clear();

 private:
  std::string line(std::int64_t step, const Figures& figures, double now) const;
  void draw(double share, const std::string& text);

  std::string label_;
  std::int64_t steps_;
  std::ostream& out_;
  Options options_;
  double start_ = 0, last_output_ = 0;
  std::int64_t first_step_ = 0, first_image_ = 0;
  std::int64_t tenths_ = 0;
  bool drawn_ = false;
};

/// Whether the standard error stream is a terminal that understands control sequences.
bool terminal_draws();

/// "0:07", "12:34", "1:02:03". Negative, NaN or infinite: "?".
std::string format_duration(double seconds);

}  // namespace glia
