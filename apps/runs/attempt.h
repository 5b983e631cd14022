// One file after the other, of which a bad one does not stop those that follow.
#pragma once

#include "engine/base/file.h"
#include "engine/base/problems.h"
#include "engine/runtime/allocator.h"

namespace glia {

/// Does `work`, which is about one file. An `Error` from it becomes one of the `problems`, except
/// for `OutOfMemory` and `WriteError`, of which the next file would die too.
template <class Work>
void attempt(Problems& problems, Work&& work) {
  try {
    work();
  } catch (const OutOfMemory&) {
    throw;
  } catch (const WriteError&) {
    throw;
  } catch (const Error& error) {
    problems.add("files", error.what());
  }
}

}  // namespace glia
