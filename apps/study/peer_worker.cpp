#include "apps/study/peer_worker.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "engine/base/check.h"
#include "engine/base/json.h"
#include "glia_peer_scripts.h"

namespace glia {

namespace {

using Json = nlohmann::json;

/// An operand where another process can read and write it: a file without a name, which goes with
/// this object.
class SharedOperand {
 public:
  explicit SharedOperand(const std::vector<std::byte>& bytes)
      : file_(::memfd_create("operand", MFD_CLOEXEC)), size_(bytes.size()) {
    check(file_ >= 0, "cannot make a file in memory: {}", std::strerror(errno));
    for (std::size_t done = 0; done < size_;) {
      const ssize_t count = ::write(file_, bytes.data() + done, size_ - done);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        const int error = errno;
        ::close(file_);
        fail("cannot write {} bytes to a file in memory: {}", size_, std::strerror(error));
      }
      done += static_cast<std::size_t>(count);
    }
  }
  ~SharedOperand() {
    if (file_ >= 0) ::close(file_);
  }
  SharedOperand(SharedOperand&& other) noexcept
      : file_(std::exchange(other.file_, -1)), size_(other.size_) {}
  SharedOperand(const SharedOperand&) = delete;
  SharedOperand& operator=(const SharedOperand&) = delete;

  std::string path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), file_); }
  std::vector<std::byte> read() const {
    std::vector<std::byte> bytes(size_);
    for (std::size_t done = 0; done < size_;) {
      const ssize_t count =
          ::pread(file_, bytes.data() + done, size_ - done, static_cast<off_t>(done));
      if (count < 0 && errno == EINTR) continue;
      check(count > 0, "found {} of {} bytes in an operand that the peer has written", done, size_);
      done += static_cast<std::size_t>(count);
    }
    return bytes;
  }

 private:
  int file_;
  std::size_t size_;
};

const char* name_of_role(Role role) {
  constexpr const char* kNames[] = {"in", "out", "update", "add"};
  return kNames[static_cast<int>(role)];
}

Json describe(const Operand& operand, const SharedOperand& memory) {
  const Shape& shape = operand.view.shape;
  Json extents = Json::array();
  for (int i = 0; i < shape.rank(); ++i) extents.push_back(shape[i]);
  return {{"name", operand.name},
          {"role", name_of_role(operand.role)},
          {"dtype", name_of(operand.view.dtype)},
          {"shape", extents},
          {"pitch", operand.view.pitch},
          {"file", memory.path()}};
}

Arithmetic arithmetic_of_peer(const bench::Call& call, const std::string& precision) {
  if (call.type() == DType::bf16) return Arithmetic::bf16;
  const bool tf32 = precision == name_of(Arithmetic::tf32) && call.op.starts_with("conv");
  return tf32 ? Arithmetic::tf32 : Arithmetic::fp32;
}

}  // namespace

Peer find_peer(const std::string& name, const std::string& python) {
  for (const auto& [known, layout] : {std::pair("torch", "nhwc"), std::pair("torch-nchw", "nchw")})
    if (name == known)
      return {name,
              layout,
              {python, "-c", peer_scripts::kTorchOps},
              "choose a Python that has PyTorch with --python, or install it (pip install torch)"};
  std::error_code none;
  check(std::filesystem::is_regular_file(name, none) && ::access(name.c_str(), X_OK) == 0,
        "--peer: found '{}', expected torch, torch-nchw, or the file of a program that can be run "
        "and answers as benchmarks/peers/torch_ops.py does",
        name);
  const std::string file = std::filesystem::absolute(name).string();
  return {std::filesystem::path(name).stem().string(), "nhwc", {file}, "look at what it needs"};
}

PeerWorker::PeerWorker(std::string name, const Peer& peer, const PeerWork& work,
                       const bench::MeasureOptions& options)
    : name_(std::move(name)),
      peer_(peer),
      work_(work),
      options_(options),
      program_(peer.command, peer.command.front()) {}

Json PeerWorker::introduction() const {
  return {{"do", "hello"},
          {"device", work_.device},
          {"layout", peer_.layout},
          {"precision", work_.precision},
          {"threads", work_.threads},
          {"cold", options_.cold},
          {"flush_bytes", work_.flush_bytes}};
}

Json PeerWorker::hello() {
  try {
    return ask_in_turn(program_, introduction());
  } catch (const Error& error) {
    fail("--peer {}: {}; {}, or leave --peer out", peer_.name, error.what(), peer_.advice);
  }
}

void PeerWorker::choose_row(const bench::Call& call, std::size_t) {
  call_ = &call;
}

bench::Measurement PeerWorker::prepare() {
  if (!program_.running()) hello();
  const bench::Contents contents(*call_, 1);
  std::vector<SharedOperand> memory;
  Json question = {{"do", "row"},
                   {"kernel", call_->kernel},
                   {"settings", call_->settings},
                   {"operands", Json::array()},
                   {"check", options_.check},
                   {"shortest_sample", options_.shortest_sample}};
  for (std::size_t i = 0; i < call_->operands.size(); ++i) {
    memory.emplace_back(contents[i]);
    question["operands"].push_back(describe(call_->operands[i], memory.back()));
  }
  const Json answer = ask_in_turn(program_, question);
  const std::string name = "the answer of --peer " + peer_.name;
  bench::Measurement prepared{.backend = name_};
  prepared.algorithm = json_field<std::string>(answer, "operator", name);
  prepared.arithmetic = arithmetic_of_peer(*call_, work_.precision);
  prepared.repeats = static_cast<int>(json_field<std::int64_t>(answer, "repeats", name));
  prepared.captured = json_field<bool>(answer, "captured", false, name);
  prepared.capture_problem = json_field<std::string>(answer, "capture_problem", "", name);
  bench::Results results(memory.size());
  for (const Json& given : answer.value("results", Json::array()))
    for (std::size_t i = 0; i < memory.size(); ++i)
      if (given == call_->operands[i].name && call_->operands[i].written())
        results[i] = memory[i].read();
  prepared.checked =
      std::any_of(results.begin(), results.end(), [](const auto& bytes) { return !bytes.empty(); });
  if (!prepared.checked) return prepared;
  prepared.accuracy = bench::accuracy_of(results, *call_, contents);
  prepared.accuracy.deterministic = json_field<bool>(answer, "deterministic", name);
  return prepared;
}

bench::Timing PeerWorker::sample() {
  const Json answer = ask_in_turn(program_, {{"do", "sample"}});
  const std::string name = "the answer of --peer " + peer_.name;
  bench::Timing taken{.warm = json_field<double>(answer, "warm", name)};
  check(taken.warm > 0, "{}: found {} seconds, expected a time above 0", name, taken.warm);
  if (answer.contains("cold")) taken.cold = json_field<double>(answer, "cold", name);
  if (health_) taken.state = health_->now();
  return taken;
}

}  // namespace glia
