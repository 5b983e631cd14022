#include "apps/terminal/interrupt.h"

#include <csignal>

namespace glia {

namespace {

volatile std::sig_atomic_t interrupts = 0;

void on_signal(int number) {
  interrupts = interrupts + 1;
  std::signal(number, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  // Under nohup a terminal that closes is to be ignored, and stays so.
  if (std::signal(SIGHUP, on_signal) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
}

bool interrupted() {
  return interrupts != 0;
}

}  // namespace glia
