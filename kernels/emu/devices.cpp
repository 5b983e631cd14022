#include "kernels/emu/devices.h"

#include <array>
#include <cstddef>

#include "kernels/emu/emu.h"

namespace glia::emu {
namespace {

thread_local int g_current = 0;

bool& peer_access(int device, int other) {
  static std::array<std::array<bool, kMaxDevices>, kMaxDevices> all{};
  return all[static_cast<std::size_t>(device)][static_cast<std::size_t>(other)];
}

}  // namespace

int device_count() {
  return options().devices;
}

int current_device() {
  return g_current;
}

bool choose_device(int device) {
  if (device < 0 || device >= device_count()) return false;
  g_current = device;
  return true;
}

bool reaches(int device, int other) {
  return device == other || peer_access(device, other);
}

void set_peer_access(int device, int other, bool on) {
  peer_access(device, other) = on;
}

}  // namespace glia::emu
