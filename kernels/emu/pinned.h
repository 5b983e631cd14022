// Page-locked host memory that a queued copy still reads or writes: its pages are closed to the
// host, and what touches them before the copy has run is reported with both places.
#pragma once

#include "kernels/emu/order.h"

namespace glia::emu::pinned {

/// Whole pages, so that nothing else shares them.
std::size_t page_bytes();

/// Host code may not touch `extent` until `doer` has run; where that only reads it the host may
/// still read. Of a large extent the first and the last pages stand for all.
void close(const Extent& extent, const Doer& doer);
/// `point` has run.
void release(Point point);
void release_all();

/// Everything is open while one of these lives: copies and kernels run.
class Open {
 public:
  Open();
  ~Open();
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
};

}  // namespace glia::emu::pinned
