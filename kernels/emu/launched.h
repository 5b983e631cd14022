// Which kernels are launched: for whoever asks whose they are.
#pragma once

#include <string>
#include <vector>

namespace glia::emu {

struct Launched {
  std::string name;              // as the launch calls it
  const void* kernel = nullptr;  // its code; null where the launch does not say

  bool operator==(const Launched&) const = default;
};

/// Each launch of the calling thread is noted there, until null. The list must live until then.
void log_launched(std::vector<Launched>* launched);

}  // namespace glia::emu
