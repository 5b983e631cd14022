#include "engine/comm/alone.h"

#include <cstring>

namespace glia {

namespace {

class Alone final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void gather(const void* mine, void* all, std::size_t bytes) override {
    if (bytes > 0) std::memcpy(all, mine, bytes);
  }
  void exchange(const void* parts, void* received, std::size_t bytes) override {
    gather(parts, received, bytes);
  }
  void broadcast(void*, std::size_t) override {}
  void abort(const std::string&) noexcept override {}
};

}  // namespace

Communicator& alone() {
  static Alone only;
  return only;
}

}  // namespace glia
