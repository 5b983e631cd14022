// The cores that this process was given. OpenMP's runtime binds the first thread to one of them
// before `main` when OMP_PROC_BIND or OMP_PLACES ask for it, and whoever asks that thread later is
// told that there is one core.
#pragma once

namespace glia {

/// Notes the cores of the calling thread as those of the process; only the first call counts. A
/// program calls it before its libraries start (apps/start.cpp). It allocates and throws nothing.
void remember_cores() noexcept;

/// How many were noted, or the calling thread's own where nobody noted any; at least 1.
int given_cores();

/// Lets the calling thread run on all of them, and so those that it starts. For threads that are
/// not OpenMP's: they would share the core of the one that started them. Safe between fork and
/// exec.
void use_given_cores() noexcept;

}  // namespace glia
