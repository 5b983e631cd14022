#include "engine/runtime/open_device.h"

#include <fmt/ranges.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/runtime/check_nan.h"
#include "engine/runtime/cpu_backends.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/plugin.h"
#include "engine/runtime/precisions.h"
#include "engine/runtime/start_threads.h"

namespace glia {

namespace {

using Say = std::function<void(const std::string&)>;

constexpr std::string_view kCuda = "cuda";

/// The number in "cuda:i", 0 for "cuda", nothing when the name is neither.
std::optional<int> gpu_index(std::string_view name) {
  if (!name.starts_with(kCuda)) return std::nullopt;
  name.remove_prefix(kCuda.size());
  if (name.empty()) return 0;
  if (name.front() != ':') return std::nullopt;
  int index = 0;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), index);
  if (error != std::errc() || end != name.data() + name.size() || index < 0) return std::nullopt;
  return index;
}

std::unique_ptr<Device> on_gpu(std::string name, const GpuBackend& backend, int index) {
  return std::make_unique<Device>(std::move(name), *backend.kernels,
                                  std::make_shared<CachingAllocator>(backend.open(index)), 1);
}

std::unique_ptr<Device> open_gpu(int index) {
  const GpuBackend* backend = find_gpu_backend("cuda");
  check(backend != nullptr,
        "--device cuda: this program was built without CUDA; build it where nvcc is on the PATH, "
        "or choose --device cpu");
  return on_gpu(fmt::format("cuda:{}", index), *backend, index);
}

std::unique_ptr<Device> open_emulator(const DeviceRequest& request, const Say&) {
  check(!gpu_index(request.device),
        "--backend emu runs on the CPU; found --device {}, expected cpu or auto", request.device);
  const GpuBackend* backend = find_gpu_backend("emu");
  check(backend != nullptr,
        "--backend emu: this program was built without the emulator; it needs the headers of a "
        "CUDA toolkit (GLIA_CUDA_INCLUDE_DIR)");
  return on_gpu("emu", *backend, 0);
}

/// The first GPU that can be used, or why there is none.
struct FoundGpu {
  std::optional<int> index = {};
  std::string name = {}, problem = {};
  bool expected = false;  // there is a driver
};

FoundGpu find_gpu() {
  const GpuBackend* backend = find_gpu_backend("cuda");
  if (backend == nullptr) return {.problem = "this program was built without CUDA"};
  const GpuSurvey survey = backend->survey(SurveyOf::until_usable);
  FoundGpu found{.problem = survey.problem, .expected = survey.driver_version != 0};
  for (std::size_t i = 0; i < survey.gpus.size(); ++i) {
    const GpuInfo& gpu = survey.gpus[i];
    if (gpu.problem.empty()) return {.index = static_cast<int>(i), .name = gpu.name};
    found.problem = fmt::format("{}: {}", gpu.name, gpu.problem);
  }
  return found;
}

/// On the GPU that the request names or the first that can be used; never on the CPU.
std::unique_ptr<Device> open_cudnn(const DeviceRequest& request, const Say& say) {
  check(request.device != "cpu",
        "--backend {} runs on a GPU; found --device cpu, expected cuda, cuda:i or auto",
        request.backend);
  const GpuBackend* backend = find_gpu_backend(request.backend);
  check(backend != nullptr,
        "--backend {}: this program was built without cuDNN; build it where nvcc, cudnn.h and "
        "libcudnn are (docs/cudnn.md), or choose --backend native",
        request.backend);
  std::optional<int> index = gpu_index(request.device);
  if (!index) {
    const FoundGpu gpu = find_gpu();
    check(gpu.index.has_value(), "--backend {} needs a GPU: {} (the CPU needs --backend native)",
          request.backend, gpu.problem);
    say(fmt::format("device: cuda:{} ({})", *gpu.index, gpu.name));
    index = gpu.index;
  }
  return on_gpu(fmt::format("cuda:{}", *index), *backend, *index);
}

std::unique_ptr<Device> open_onednn(const DeviceRequest& request, const Say&) {
  check(request.backend == "onednn" || request.single_calls,
        "--backend {} has convolutions alone and is for the rows of glia bench; choose --backend "
        "onednn",
        request.backend);
  check(request.device == "cpu" || request.device == "auto",
        "--backend {} runs on the CPU; found --device {}, expected cpu or auto", request.backend,
        request.device);
  const CpuBackend* backend = find_cpu_backend(request.backend);
  check(backend != nullptr,
        "--backend {}: this program was built without oneDNN; install libdnnl-dev and "
        "build it again (docs/onednn.md), or choose --backend native",
        request.backend);
  auto device = make_cpu_device(request.threads, *backend->kernels, backend->open());
  start_threads(device->context().threads);
  return device;
}

std::unique_ptr<Device> open_native(const DeviceRequest& request, const Say& say) {
  if (const auto index = gpu_index(request.device)) return open_gpu(*index);
  std::string why;  // where a GPU was to be expected; glia doctor says how to come by one
  if (request.device == "auto") {
    const FoundGpu gpu = find_gpu();
    if (gpu.index) {
      say(fmt::format("device: cuda:{} ({})", *gpu.index, gpu.name));
      return open_gpu(*gpu.index);
    }
    if (gpu.expected) why = fmt::format(" (no GPU: {})", gpu.problem);
  }
  auto cpu = make_cpu_device(request.threads);
  start_threads(cpu->context().threads);
  if (request.threads > available_cores())
    say(
        fmt::format("warning: --threads {}, but this process may use {} cores; threads beyond them "
                    "only wait for one another",
                    request.threads, available_cores()));
  if (request.device == "auto")
    say(fmt::format("device: cpu with {} threads{}", cpu->context().threads, why));
  return cpu;
}

struct Opening {
  const char* backend;
  std::unique_ptr<Device> (*open)(const DeviceRequest&, const Say&);
};
constexpr Opening kOpenings[] = {{"native", open_native},
                                 {"onednn", open_onednn},
                                 {"cudnn", open_cudnn},
                                 {"emu", open_emulator},
                                 {"onednn-blocked", open_onednn}};

std::unique_ptr<Device> open_requested(const DeviceRequest& request, const Say& say) {
  for (const Opening& opening : kOpenings)
    if (request.backend == opening.backend) return opening.open(request, say);
  fail("--backend: found '{}', expected {}", request.backend, fmt::join(backend_names(), ", "));
}

void set_precision(Device& device, const DeviceRequest& request, const Say& say) {
  const ConvPrecision precision =
      take_precision(device.kernels(), request.precision,
                     fmt::format("{} with --backend {}", device.name(), request.backend));
  device.context().precision = precision;
  if (precision == ConvPrecision::tf32)
    say("precision: convolutions in tf32, summed in fp32; --precision fp32 is exact");
  if (precision != ConvPrecision::bf16) return;
  if (device.kernels().in_bf16) {
    device.use(*device.kernels().in_bf16);
    say("precision: activations in bf16, sums, parameters and losses in fp32; --precision fp32 is "
        "exact");
    return;
  }
  check(request.conv != ConvMethod::winograd,
        "--precision bf16 with --conv winograd: Winograd's algorithm is computed in fp32 only; "
        "choose --conv auto or direct, or --precision fp32");
  say(
      fmt::format("precision: convolutions in bf16 by {}, summed in fp32; those that are faster in "
                  "fp32 stay in it{}",
                  cpu_bf16_instructions(),
                  cpu_bf16_mostly() ? "" : ", which are most, since this processor has no AMX"));
}

/// What --conv asks of our kernels for GPUs.
struct GpuConv {
  ConvMethod method;
  ConvAlgorithm algorithm;
  bool in_fp32, in_bf16;  // computes any convolution there
  const char* what;       // is done for which convolutions
};
constexpr GpuConv kGpuConvs[] = {
    {ConvMethod::naive, ConvAlgorithm::naive, true, true, "a thread an element, in fp32 and bf16"},
    {ConvMethod::tiled, ConvAlgorithm::tiled, true, false, "tiles of products in fp32"},
    {ConvMethod::mma, ConvAlgorithm::mma, false, true,
     "tensor cores with gathered operands; in tf32 where both channel counts are multiples of four "
     "from eight on, tiles in fp32 elsewhere"},
    {ConvMethod::halo, ConvAlgorithm::halo, false, true,
     "tensor cores with patches for windows of 3x3 with stride 1 where they fit, as auto "
     "elsewhere"}};

void set_gpu_conv(Device& device, const DeviceRequest& request, const Say& say) {
  const char* name = name_of(request.conv);
  for (const GpuConv& conv : kGpuConvs) {
    if (conv.method != request.conv) continue;
    const ConvPrecision precision = device.context().precision;
    check(
        precision != ConvPrecision::bf16 || conv.in_bf16,
        "--conv {} has no kernels in bf16; choose --precision fp32 or tf32, or --conv auto, naive, "
        "mma or halo",
        name);
    check(precision != ConvPrecision::fp32 || conv.in_fp32,
          "--conv {} is for tensor cores, which do not compute in fp32; choose --precision tf32 or "
          "bf16, or --conv auto, naive or tiled",
          name);
    device.context().gpu_conv.algorithm = conv.algorithm;
    return say(fmt::format("conv: {}: {}", name, conv.what));
  }
}

void set_conv(Device& device, const DeviceRequest& request, const Say& say) {
  if (request.conv == ConvMethod::automatic) return;
  const bool of_cpu = request.conv == ConvMethod::direct || request.conv == ConvMethod::winograd;
  const KernelTable& kernels = device.kernels();
  check(of_cpu ? kernels.name == std::string_view("cpu") : is_our_gpu(kernels),
        "--conv {} is for {}, and the device is {} with --backend {}; leave it out, or choose {}",
        name_of(request.conv), of_cpu ? "the CPU's own kernels" : "our kernels for GPUs",
        device.name(), request.backend,
        of_cpu ? "--device cpu --backend native" : "--device cuda, or --backend emu");
  if (!of_cpu) return set_gpu_conv(device, request, say);
  device.context().conv = request.conv;
  if (request.conv == ConvMethod::winograd)
    say("conv: Winograd's algorithm for windows of 3x3 with stride 1, direct kernels for others");
}

/// s3 is refused where not even a wide layer would be computed differently from s2.
void check_fusion(Device& device, const DeviceRequest& request) {
  if (request.fuse != Fuse::s3) return;
  const ConvGeometry wide =
      conv2d_geometry({12, 240, 240, 64}, {64, 3, 3, 64}, {.padding = Padding::same(3, 3)});
  check(
      device.reads_map(kernel_of<Conv2dForward>(), wide) &&
          device.reads_map(kernel_of<Conv2dWgrad>(), wide),
      "--fuse s3: convolutions normalise what they read on the CPU with --backend native and on a "
      "GPU (or --backend emu) by patches in bf16, if a block has 162 KiB of shared memory; the "
      "device is {} with --backend {}, in {} and with --conv {}; choose --precision bf16, or "
      "--fuse s2",
      device.name(), request.backend, name_of(device.context().precision), name_of(request.conv));
}

}  // namespace

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const Opening& opening : kOpenings) names.emplace_back(opening.backend);
  return names;
}

std::vector<BuiltBackend> built_backends() {
  std::vector<BuiltBackend> built{{"cpu", &make_cpu_device(1)->kernels()}};
  std::vector<std::string> names = backend_names();
  names.insert(names.begin(), std::string(kCuda));
  for (const std::string& name : names) {
    if (const CpuBackend* backend = find_cpu_backend(name))
      built.push_back({name, backend->kernels});
    if (const GpuBackend* backend = find_gpu_backend(name))
      built.push_back({name, backend->kernels});
  }
  return built;
}

void check_device_name(const std::string& name) {
  check(name == "auto" || name == "cpu" || gpu_index(name),
        "--device: found '{}', expected auto, cpu, cuda or cuda:i", name);
}

std::unique_ptr<Device> open_device(const DeviceRequest& request, const Say& say) {
  check_device_name(request.device);
  auto device = open_requested(request, say);
  if (!request.plugin.empty())
    device->use(with_plugin(load_plugin(request.plugin), device->kernels(),
                            fmt::format("{} with --backend {}", device->name(), request.backend)));
  if (request.check_nan) device->watch(std::make_shared<CheckNan>());
  if (request.memory != MemoryMode::automatic) {
    check(request.fuse == Fuse::automatic,
          "--memory {} is about activations that are computed while they are read, which --fuse {} "
          "writes down; leave one of them out",
          name_of(request.memory), name_of(request.fuse));
    check(device->kernels().maps == Maps::read,
          "--memory {} is for the CPU's own kernels, and the device is {} with --backend {}; leave "
          "it out, or choose --device cpu --backend native",
          name_of(request.memory), device->name(), request.backend);
    device->set_memory_mode(request.memory);
  }
  set_precision(*device, request, say);
  device->limit_fusion(request.fuse);
  set_conv(*device, request, say);
  check_fusion(*device, request);
  return device;
}

void check_device(const DeviceRequest& request) {
  check_device_name(request.device);
  const bool native = request.backend == "native";
  std::optional<int> index = gpu_index(request.device);
  if (native && request.device == "auto") index = find_gpu().index;
  const bool on_gpu = native ? index.has_value() : request.backend == "cudnn";
  const GpuBackend* backend = on_gpu ? find_gpu_backend(native ? kCuda : request.backend) : nullptr;
  if (backend == nullptr) {  // of the CPU, or told by the refusal
    open_device(request);
    return;
  }
  take_precision(*backend->kernels, request.precision,
                 fmt::format("cuda:{} with --backend {}", index.value_or(0), request.backend));
  if (!index) return;
  const GpuSurvey survey = backend->survey(SurveyOf::names);
  check(survey.problem.empty(), "--device {}: {}", request.device, survey.problem);
  check(*index < std::ssize(survey.gpus), "--device {}: there are {} GPUs, numbered from 0",
        request.device, survey.gpus.size());
}

}  // namespace glia
