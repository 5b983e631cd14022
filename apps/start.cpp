// What the program notes before any library of it starts.
#include <cstdlib>  // any header of the C library says whether it is glibc

#include "engine/base/cores.h"

namespace {

#if defined(__GLIBC__)
// The dynamic linker calls these before the constructors of shared libraries, among them that of
// OpenMP, which binds threads.
using Start = void (*)(int, char**, char**);
[[gnu::section(".preinit_array"), gnu::used]] const Start kStart = [](int, char**, char**) {
  glia::remember_cores();
};
#endif

}  // namespace
