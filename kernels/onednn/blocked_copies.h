// Tensors in oneDNN's own layouts beside the engine's, for a benchmark that repeats a call: the
// first call brings its operands over, later ones find them there. Each tensor is true in at least
// one place, and whoever reads or overwrites the engine's memory must say so (`store`, `forget`).
#pragma once

#include <list>

#include "kernels/api/memory.h"
#include "kernels/onednn/plan.h"

namespace glia::onednn {

class BlockedCopies {
 public:
  BlockedCopies(const dnnl::engine& engine, const dnnl::stream& stream)
      : engine_(engine), stream_(stream) {}

  /// The operand's contents in the wanted layout, brought there unless they are there already.
  dnnl::memory to_read(const Operand& operand, const Bridge& bridge, int threads);
  /// Where the primitive shall write the operand; `written` must follow.
  dnnl::memory to_write(const Operand& operand, const Bridge& bridge, int threads);
  void written(const Operand& operand, const Bridge& bridge);

  /// Brings results that lie in a copy alone to the engine's memory, as far as they overlap the
  /// bytes from `data`: before these are read there, or overwritten in part.
  void store(const void* data, std::size_t bytes);
  /// Drops the copies of these bytes, results that were not stored included: after they have been
  /// overwritten in the engine's memory.
  void forget(const void* data, std::size_t bytes);

 private:
  /// In memory as the engine's tensors have it, so that times do not differ by its pages.
  struct Block {
    explicit Block(std::size_t size) : bytes(size), data(SystemAllocator().allocate(size)) {}
    ~Block() { SystemAllocator().release(data, bytes); }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    std::size_t bytes;
    void* data;
  };
  struct Copy {
    Copy(const dnnl::engine& engine, const Operand& operand, const Desc& wanted, int thread_count);
    bool is_of(const Operand& operand, const Desc& wanted) const;
    bool overlaps(const void* data, std::size_t bytes) const;

    Operand original;
    Block block;
    dnnl::memory there, here;  // the engine's and the copy
    dnnl::primitive back{};    // how a result gets from here to there
    int threads;
    bool filled = false;   // false: nothing of use is here yet
    bool unsaved = false;  // a result that is not there yet
  };

  Copy* find(const Operand& operand, const Desc& wanted);
  Copy& find_or_add(const Operand& operand, const Desc& wanted, int threads);
  void store(Copy& copy);

  dnnl::engine engine_;
  dnnl::stream stream_;
  std::list<Copy> copies_;
};

}  // namespace glia::onednn
