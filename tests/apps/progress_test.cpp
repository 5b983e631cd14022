// The progress display on a string stream with a clock of its own: what a terminal and what a log
// receive.
#include <algorithm>
#include <limits>
#include <sstream>
#include <string>

#include "apps/terminal/progress.h"
#include "tests/catch.h"

namespace {

using glia::Progress;

struct Fixture {
  std::ostringstream out;
  double now = 100;

  Progress::Options options(bool terminal, int columns = 120, bool utf8 = false) {
    return {
        .terminal = terminal, .utf8 = utf8, .columns = columns, .seconds = [this] { return now; }};
  }
  int count(const std::string& what) const {
    int found = 0;
    const std::string text = out.str();
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
      ++found;
    return found;
  }
};

}  // namespace

TEST_CASE("durations are short and never nonsense", "[progress]") {
  CHECK(glia::format_duration(0) == "0:00");
  CHECK(glia::format_duration(7.4) == "0:07");
  CHECK(glia::format_duration(754) == "12:34");
  CHECK(glia::format_duration(3599.6) == "1:00:00");
  CHECK(glia::format_duration(3723) == "1:02:03");
  CHECK(glia::format_duration(-1) == "?");
  CHECK(glia::format_duration(std::numeric_limits<double>::quiet_NaN()) == "?");
  CHECK(glia::format_duration(std::numeric_limits<double>::infinity()) == "?");
}

TEST_CASE("a terminal sees one line with rate and time left, and no trace at the end",
          "[progress]") {
  Fixture fixture;
  {
    Progress progress("epoch 1/2", 40, fixture.out, fixture.options(true));
    fixture.now += 5;
    progress.update(10, {.images = 60, .loss = 0.5, .iou = 0.25});
    CHECK(fixture.out.str() ==
          "\r\x1b[Kepoch 1/2 [######                  ] 10/40  loss 0.5000  iou 0.2500  "
          "12.0 images/s  0:15 left");
  }
  const std::string text = fixture.out.str();
  CHECK(text.substr(text.size() - 4) == "\r\x1b[K");
  CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("there is no rate and no time left before they can be measured", "[progress]") {
  Fixture fixture;
  Progress progress("epoch 1/1", 40, fixture.out, fixture.options(true));
  fixture.now += 1e-6;
  progress.update(1, {.images = 6, .loss = 0.5});
  CHECK(fixture.out.str() == "\r\x1b[Kepoch 1/1 [                        ] 1/40  loss 0.5000");
  fixture.now += 0.4;
  progress.update(2, {.images = 12});
  CHECK(fixture.count("images/s") == 0);
  CHECK(fixture.count("left") == 0);
  fixture.now += 0.6;
  progress.update(10, {.images = 60});
  CHECK(fixture.count("60.0 images/s  0:03 left") == 1);
}

TEST_CASE("a loop that has begun before its display is measured from where it is", "[progress]") {
  Fixture fixture;
  Progress progress("epoch 2/2", 100, fixture.out, fixture.options(true));
  progress.begin(50, 300);
  progress.update(50, {.images = 300});
  CHECK(fixture.count("50/100") == 1);
  CHECK(fixture.count("images/s") == 0);
  fixture.now += 10;
  progress.update(60, {.images = 360});
  CHECK(fixture.count("60/100  6.0 images/s  0:40 left") == 1);
}

TEST_CASE("parts of a step move the bar and the time left, and say what is done", "[progress]") {
  Fixture fixture;
  Progress progress("explain", 2, fixture.out, fixture.options(true));
  fixture.now += 10;
  progress.update(0, {.part = 0.5, .note = "7: occlusion 3/6"});
  CHECK(fixture.out.str() ==
        "\r\x1b[Kexplain [######                  ] 0/2  7: occlusion 3/6  0:30 left");
  Fixture log;
  Progress lines("explain", 1, log.out, log.options(false));
  for (int i = 1; i <= 10; ++i) {
    log.now += 6;
    lines.update(0, {.part = 0.1 * i, .note = "7: occlusion"});
  }
  CHECK(log.count("\n") >= 9);
}

TEST_CASE("a terminal is redrawn at most ten times a second", "[progress]") {
  Fixture fixture;
  Progress progress("p", 1000, fixture.out, fixture.options(true));
  for (int step = 1; step <= 1000; ++step) {
    fixture.now += 0.001;
    progress.update(step, {});
  }
  CHECK(fixture.count("\x1b[K") >= 9);
  CHECK(fixture.count("\x1b[K") <= 11);
}

TEST_CASE("clearing erases once and the next update draws again", "[progress]") {
  Fixture fixture;
  Progress progress("p", 10, fixture.out, fixture.options(true));
  progress.clear();
  CHECK(fixture.out.str().empty());
  progress.update(1, {});
  progress.clear();
  progress.clear();
  CHECK(fixture.count("\x1b[K") == 2);
  progress.update(2, {});
  CHECK(fixture.count("2/10") == 1);
}

TEST_CASE("a narrow terminal never wraps", "[progress]") {
  for (const int columns : {1, 10, 40, 60}) {
    Fixture fixture;
    Progress progress("epoch 1/2", 40, fixture.out, fixture.options(true, columns));
    fixture.now += 1;
    progress.update(39, {.images = 234, .loss = 12345.678, .iou = 0.5});
    CHECK(fixture.out.str().size() <= std::size_t(columns - 1 > 0 ? columns - 1 : 1) + 4);
  }
}

TEST_CASE("a UTF-8 terminal sees the curve, and no character is cut in two", "[progress]") {
  for (int columns = 1; columns < 100; ++columns) {
    Fixture fixture;
    Progress progress("epoch 1/2", 40, fixture.out, fixture.options(true, columns, true));
    fixture.now += 1;
    progress.update(39, {.images = 234, .loss = 0.5, .iou = 0.5, .curve = "█▅▃▂▁"});
    const std::string line = fixture.out.str().substr(4);
    int characters = 0, bytes_of_blocks = 0;
    for (const char c : line) {
      characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      bytes_of_blocks += static_cast<unsigned char>(c) >= 0x80;
    }
    CAPTURE(columns, line);
    CHECK(characters <= std::max(columns - 1, 1));
    CHECK(bytes_of_blocks % 3 == 0);
    if (columns > 90) CHECK(line.find("loss 0.5000 █▅▃▂▁  iou") != std::string::npos);
  }
  Fixture plain, log;
  Progress ascii("p", 4, plain.out, plain.options(true, 120, false));
  plain.now += 1;
  ascii.update(3, {.loss = 0.5, .curve = "█▁"});
  CHECK(plain.count("█") == 0);
  Progress lines("p", 4, log.out, log.options(false, 120, true));
  log.now += 60;
  lines.update(3, {.loss = 0.5, .curve = "█▁"});
  CHECK(log.count("loss 0.5000") == 1);
  CHECK(log.count("█") == 0);
}

TEST_CASE("a log gets a plain line a tenth, five seconds apart", "[progress]") {
  Fixture fixture;
  {
    Progress progress("epoch 1/2", 1000, fixture.out, fixture.options(false));
    for (int step = 1; step <= 1000; ++step) {
      fixture.now += 0.1;  // 100 s in all, 10 s a tenth
      progress.update(step, {.images = step, .loss = 0.5});
    }
  }
  CHECK(fixture.count("\n") == 10);
  CHECK(fixture.out.str().find('\x1b') == std::string::npos);
  CHECK(fixture.out.str().find('\r') == std::string::npos);
  CHECK(fixture.out.str().rfind("epoch 1/2: 100/1000  loss 0.5000  10.0 images/s  1:30 left\n",
                                0) == 0);

  Fixture quick;
  Progress progress("quick", 1000, quick.out, quick.options(false));
  for (int step = 1; step <= 1000; ++step) {
    quick.now += 0.02;  // 20 s in all, 2 s a tenth
    progress.update(step, {});
  }
  CHECK(quick.count("\n") == 3);
}

TEST_CASE("a loop without steps divides by nothing", "[progress]") {
  Fixture fixture;
  Progress progress("none", 0, fixture.out, fixture.options(true));
  progress.update(0, {});
  CHECK(fixture.count("0/0") == 1);
  CHECK(fixture.out.str().find("nan") == std::string::npos);
}
