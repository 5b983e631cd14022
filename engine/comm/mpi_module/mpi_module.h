// What Glia asks of an MPI. Each MPI has an ABI of its own, so the program links to none:
// module.cpp is compiled once against each into a small library, which the program loads where it
// was started by that MPI. The library has one entry point, `glia_mpi`.
#pragma once

#include <cstddef>

extern "C" {

/// A part of a collective's buffers: `length` bytes at `begin` of each rank's block of `stride`.
struct GliaMpiPiece {
  std::size_t stride, begin;
  int length;
};

/// Functions that may fail give null, or what MPI said, to be read before the next call. One thread
/// calls at a time.
struct GliaMpi {
  int version;
  const char* product;

  /// MPI's own words, also before `start`.
  const char* (*library)();
  /// MPI_Init, once a process.
  const char* (*start)(int* rank, int* size);

  /// Each begins a collective of all ranks, and there is one at a time; `test` says when it is
  /// done. `send` and `receive` are as of Communicator's calls; a broadcast's data is `receive`.
  const char* (*gather)(const void* send, void* receive, GliaMpiPiece piece);
  const char* (*exchange)(const void* send, void* receive, GliaMpiPiece piece);
  const char* (*broadcast)(const void* send, void* receive, GliaMpiPiece piece);
  const char* (*arrive)();
  /// Apart from the others, so that who leaves does not meet who waits in one of them.
  const char* (*leave)();
  const char* (*test)(int* done);

  /// A short message beside the collectives. `tell` keeps a copy. `hear` gives `from` -1 where
  /// there is none.
  const char* (*tell)(int to, int tag, const void* data, int bytes);
  const char* (*hear)(int* from, int* tag, void* data, int capacity, int* bytes);

  /// MPI_Finalize; MPI_Abort, which ends all ranks.
  void (*finish)();
  void (*abort)(int status);
};

/// Raised with every change of GliaMpi.
inline constexpr int kGliaMpiVersion = 1;

__attribute__((visibility("default"))) const GliaMpi* glia_mpi();
}
