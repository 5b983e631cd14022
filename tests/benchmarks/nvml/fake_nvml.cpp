// A stand-in for NVIDIA's management library with one GPU, at 0000:3B:00.0. What it says stands in
// GLIA_FAKE_NVML: SM MHz, memory MHz, milliwatts and limits, in hexadecimal.
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct State {
  unsigned sm = 0, memory = 0, milliwatts = 0;
  unsigned long long limits = 0;
};

State state() {
  State s;
  if (const char* text = std::getenv("GLIA_FAKE_NVML"))
    std::sscanf(text, "%u,%u,%u,%llx", &s.sm, &s.memory, &s.milliwatts, &s.limits);
  return s;
}

constexpr int kSuccess = 0, kNotFound = 6;

}  // namespace

extern "C" {

int nvmlInit_v2() {
  return std::getenv("GLIA_FAKE_NVML") ? kSuccess : 9;  // no driver is loaded
}
int nvmlShutdown() {
  return kSuccess;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* address, void** gpu) {
  static int only;
  *gpu = &only;
  return std::strcmp(address, "0000:3B:00.0") == 0 ? kSuccess : kNotFound;
}
int nvmlDeviceGetClockInfo(void*, unsigned which, unsigned* mhz) {
  *mhz = which == 1 ? state().sm : state().memory;
  return kSuccess;
}
int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = state().milliwatts;
  return kSuccess;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* limits) {
  *limits = state().limits;
  return kSuccess;
}

}  // extern "C"
