#include "tests/comm/contract.h"

#include <fmt/format.h>

#include <cstdint>
#include <vector>

namespace glia::test {

namespace {

using Bytes = std::vector<std::uint8_t>;

/// Byte `i` of what rank `from` has for rank `to`.
std::uint8_t byte_of(int turn, int from, int to, std::size_t i) {
  return static_cast<std::uint8_t>(17 * turn + 31 * from + 101 * to +
                                   7 * static_cast<int>(i % 251));
}

Bytes block(int turn, int from, int to, std::size_t bytes) {
  Bytes data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = byte_of(turn, from, to, i);
  return data;
}

Bytes& operator+=(Bytes& all, const Bytes& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string examine_turn(Communicator& comm, int turn, std::size_t bytes) {
  const int ranks = comm.size(), me = comm.rank();
  Bytes gathered, parts, exchanged;
  for (int r = 0; r < ranks; ++r) {
    gathered += block(turn, r, 0, bytes);
    parts += block(turn, me, r, bytes);
    exchanged += block(turn, r, me, bytes);
  }
  Bytes all(gathered.size()), received(all.size());
  comm.gather(block(turn, me, 0, bytes).data(), all.data(), bytes);
  if (all != gathered) return fmt::format("gather of {} bytes, turn {}", bytes, turn);
  comm.exchange(parts.data(), received.data(), bytes);
  if (received != exchanged) return fmt::format("exchange of {} bytes, turn {}", bytes, turn);
  Bytes told = block(turn, me, 0, bytes);
  comm.broadcast(told.data(), bytes);
  if (told != block(turn, 0, 0, bytes))
    return fmt::format("broadcast of {} bytes, turn {}", bytes, turn);
  comm.gather(nullptr, nullptr, 0);
  return "";
}

}  // namespace

std::string examine_calls(Communicator& comm) {
  for (const std::size_t bytes : {0, 1, 16, 1000, 16384, 16385, 40000, 65537, 300001})
    for (int turn = 0; turn < (bytes > 1000 ? 3 : 50); ++turn)
      if (std::string wrong = examine_turn(comm, turn, bytes); !wrong.empty()) return wrong;
  return "";
}

}  // namespace glia::test
