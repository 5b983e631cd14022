// The emulated devices: which one is current, and which may use another's memory.
#pragma once

namespace glia::emu {

constexpr int kMaxDevices = 16;

/// `options().devices` of them.
int device_count();
/// Of the calling host thread, as in CUDA; 0 until it chooses.
int current_device();
/// False when there is no such device.
bool choose_device(int device);

/// Whether kernels on `device` may use memory of `other`: after `set_peer_access`, or the same.
bool reaches(int device, int other);
void set_peer_access(int device, int other, bool on);

}  // namespace glia::emu
