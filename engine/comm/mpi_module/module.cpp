// Compiled once against each MPI, with GLIA_MPI_PRODUCT its name. Nothing of Glia is linked to it.

// Neither MPI's retired C++ classes.
#define MPICH_SKIP_MPICXX 1
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <list>
#include <string>
#include <vector>

#include "engine/comm/mpi_module/mpi_module.h"

namespace {

/// What was told and may not have left yet.
struct Message {
  MPI_Request request = MPI_REQUEST_NULL;
  std::vector<char> data;
};

MPI_Comm collectives = MPI_COMM_NULL, messages = MPI_COMM_NULL;
MPI_Request current = MPI_REQUEST_NULL;
std::list<Message> outbox;

const char* words(int code) {
  static char text[MPI_MAX_ERROR_STRING];
  if (code == MPI_SUCCESS) return nullptr;
  int length = 0;
  MPI_Error_string(code, text, &length);
  return text;
}

const char* library() {
  static char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  return text;
}

const char* start(int* rank, int* size) {
  int threads = 0;
  if (const int code = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &threads))
    return words(code);
  if (threads < MPI_THREAD_SERIALIZED)
    return "it was built without threads (MPI_THREAD_SERIALIZED)";
  for (MPI_Comm* comm : {&collectives, &messages}) {
    if (const int code = MPI_Comm_dup(MPI_COMM_WORLD, comm)) return words(code);
    MPI_Comm_set_errhandler(*comm, MPI_ERRORS_RETURN);
  }
  MPI_Comm_rank(messages, rank);
  MPI_Comm_size(messages, size);
  return nullptr;
}

/// One piece in a block of `stride` bytes, as a type; none where the blocks are the pieces.
class Block {
 public:
  explicit Block(const GliaMpiPiece& piece) : whole_(piece.stride == std::size_t(piece.length)) {
    if (whole_) return;
    MPI_Datatype bytes;
    MPI_Type_contiguous(piece.length, MPI_BYTE, &bytes);
    MPI_Type_create_resized(bytes, 0, static_cast<MPI_Aint>(piece.stride), &type_);
    MPI_Type_commit(&type_);
    MPI_Type_free(&bytes);
  }
  // MPI keeps what a collective that has begun still needs.
  ~Block() {
    if (!whole_) MPI_Type_free(&type_);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  MPI_Datatype type() const { return type_; }
  int count(const GliaMpiPiece& piece) const { return whole_ ? piece.length : 1; }

 private:
  bool whole_;
  MPI_Datatype type_ = MPI_BYTE;
};

const char* gather(const void* send, void* receive, GliaMpiPiece piece) {
  const Block block(piece);
  return words(MPI_Iallgather(static_cast<const char*>(send) + piece.begin, piece.length, MPI_BYTE,
                              static_cast<char*>(receive) + piece.begin, block.count(piece),
                              block.type(), collectives, &current));
}

const char* exchange(const void* send, void* receive, GliaMpiPiece piece) {
  const Block block(piece);
  return words(MPI_Ialltoall(static_cast<const char*>(send) + piece.begin, block.count(piece),
                             block.type(), static_cast<char*>(receive) + piece.begin,
                             block.count(piece), block.type(), collectives, &current));
}

const char* broadcast(const void*, void* data, GliaMpiPiece piece) {
  return words(MPI_Ibcast(static_cast<char*>(data) + piece.begin, piece.length, MPI_BYTE, 0,
                          collectives, &current));
}

const char* arrive() {
  return words(MPI_Ibarrier(collectives, &current));
}

const char* leave() {
  return words(MPI_Ibarrier(messages, &current));
}

const char* test(int* done) {
  return words(MPI_Test(&current, done, MPI_STATUS_IGNORE));
}

const char* tell(int to, int tag, const void* data, int bytes) {
  outbox.remove_if([](Message& sent) {
    int done = 0;
    MPI_Test(&sent.request, &done, MPI_STATUS_IGNORE);
    return done != 0;
  });
  Message& message = outbox.emplace_back();
  const char* begin = static_cast<const char*>(data);
  message.data.assign(begin, begin + bytes);
  return words(
      MPI_Isend(message.data.data(), bytes, MPI_BYTE, to, tag, messages, &message.request));
}

const char* hear(int* from, int* tag, void* data, int capacity, int* bytes) {
  int there = 0;
  MPI_Status status;
  *from = -1;
  const int code = MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, messages, &there, &status);
  if (code != MPI_SUCCESS || !there) return words(code);
  *from = status.MPI_SOURCE;
  *tag = status.MPI_TAG;
  MPI_Get_count(&status, MPI_BYTE, bytes);
  return words(MPI_Recv(data, capacity, MPI_BYTE, *from, *tag, messages, MPI_STATUS_IGNORE));
}

void finish() {
  for (Message& sent : outbox) MPI_Wait(&sent.request, MPI_STATUS_IGNORE);
  outbox.clear();
  MPI_Comm_free(&collectives);
  MPI_Comm_free(&messages);
  // All have left, so nobody is waited for. MPICH before 4.2, over UCX, may hang in MPI_Finalize
  // where one rank is through with its connections (and then does not look at them any more) before
  // another has begun to close its own (pmodels/mpich#6596): so they begin in step.
  for (int i = 0; i < 20; ++i) MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
}

void abort_all(int status) {
  MPI_Abort(MPI_COMM_WORLD, status);
}

}  // namespace

extern "C" const GliaMpi* glia_mpi() {
  static const GliaMpi module{kGliaMpiVersion, GLIA_MPI_PRODUCT, library, start, gather, exchange,
                              broadcast,       arrive,           leave,   test,  tell,   hear,
                              finish,          abort_all};
  return &module;
}
