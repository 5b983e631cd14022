// Another program that computes the rows of glia bench (--peer): PyTorch's operators, by
// benchmarks/peers/torch_ops.py, or whatever answers the same questions (docs/benchmarks.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/study/conversation.h"
#include "benchmarks/suite/measure.h"

namespace glia {

/// Which program, and on tensors of which layout.
struct Peer {
  std::string name;    // in tables: "torch"
  std::string layout;  // "nhwc" or "nchw"
  std::vector<std::string> command;
  std::string advice;  // what to do where it cannot answer
};

/// "torch", "torch-nchw", or the file of a program; `python` runs the first two. Throws `Error` for
/// anything else.
Peer find_peer(const std::string& name, const std::string& python);

/// On what a peer computes and how it is timed.
struct PeerWork {
  std::string device = "cpu";      // or "cuda:0"
  std::string precision = "fp32";  // or tf32, bf16: of its convolutions
  int threads = 1;
  std::size_t flush_bytes = 0;
};

class PeerWorker : public bench::RemoteBackend {
 public:
  /// `name` is the peer's, and of its precision where it has several.
  PeerWorker(std::string name, const Peer& peer, const PeerWork& work,
             const bench::MeasureOptions& options);

  /// Starts it and asks who it is. Throws `Error` saying what is missing and how to mend it.
  nlohmann::json hello();
  /// Whose state is noted after each sample.
  void watch(std::unique_ptr<bench::GpuHealth> health) { health_ = std::move(health); }

  const std::string& name() const override { return name_; }
  void choose_row(const bench::Call& call, std::size_t row) override;
  bench::Measurement prepare() override;
  bench::Timing sample() override;

 private:
  nlohmann::json introduction() const;

  std::string name_;
  Peer peer_;
  PeerWork work_;
  bench::MeasureOptions options_;
  const bench::Call* call_ = nullptr;
  Conversation program_;
  std::unique_ptr<bench::GpuHealth> health_;
};

}  // namespace glia
