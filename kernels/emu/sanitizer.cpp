#include "kernels/emu/sanitizer.h"

#if defined(__SANITIZE_ADDRESS__)

#include <fmt/format.h>
#include <sanitizer/asan_interface.h>

#include "kernels/emu/block.h"

namespace {

std::string g_first;
int g_count = 0;

void keep(const std::string& text) {
  if (g_count++ == 0) g_first = text;
}

}  // namespace

extern "C" {

void __ubsan_get_current_report_data(const char** kind, const char** message, const char** file,
                                     unsigned* line, unsigned* column, char** address);

/// Called by UndefinedBehaviorSanitizer's library, in place of its own empty function.
void __ubsan_on_report() {
  const char *kind = "", *message = "", *file = "";
  unsigned line = 0, column = 0;
  char* address = nullptr;
  __ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
  keep(fmt::format("undefined behaviour: {} at {}", message,
                   glia::emu::site_name({file, static_cast<int>(line)})));
}

}  // extern "C"

namespace glia::emu {

void keep_sanitizer_reports() {
  g_count = 0;
  // The whole report is on stderr already: its lines up to the first frame say what and where.
  __asan_set_error_report_callback([](const char* report) {
    const std::string text = report;
    const auto begin = text.find("ERROR: ");
    const auto frame = text.find("\n    #1 ");
    keep(begin == std::string::npos ? text : text.substr(begin + 7, frame - begin - 7));
  });
}

bool has_sanitizer_report() {
  return g_count > 0;
}

std::string take_sanitizer_reports() {
  if (g_count == 0) return "";
  std::string text = "\n  " + g_first;
  if (g_count > 1) text += fmt::format(" (the first of {})", g_count);
  g_count = 0;
  return text;
}

}  // namespace glia::emu

#else

namespace glia::emu {

void keep_sanitizer_reports() {}
bool has_sanitizer_report() {
  return false;
}
std::string take_sanitizer_reports() {
  return "";
}

}  // namespace glia::emu

#endif
