#include "apps/kernel/compile_kernel.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <thread>
#include <vector>

#include "apps/kernel/kernel_names.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "glia_kernel_build.h"

namespace glia {

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

Words split(const std::string& list) {
  Words words;
  std::istringstream text(list);
  for (std::string word; std::getline(text, word, ';');) words.push_back(word);
  return words;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

/// Lines of the compiler's words that are about the wrapper, and all others.
struct Said {
  std::string about_wrapper, others;
};

/// What includes what is left out.
Said sorted(const KernelSource& source, const std::string& said) {
  Said result;
  const std::string mine = wrapper_of(source).string();
  std::istringstream lines(said);
  bool of_wrapper = false;
  for (std::string line; std::getline(lines, line);) {
    const bool including = line.starts_with("In file included from") ||
                           (line.starts_with("   ") && line.find(" from ") < 24);
    if (including) continue;
    if (!line.starts_with(" ")) of_wrapper = line.find(mine) != std::string::npos;
    (of_wrapper ? result.about_wrapper : result.others) += line + "\n";
  }
  const std::string absolute = fs::absolute(source.file).string();
  result.others = replaced(result.others, absolute, source.file);
  result.others = replaced(result.others, std::string(kernel_build::kSource) + "/", "");
  return result;
}

/// Of a file that compiles and has no function as it must be.
std::string wrong_signature(const KernelSource& source, const std::string& said) {
  std::smatch found;
  std::string what = fmt::format("none named {}", source.kernel.name);
  static const std::regex kFrom("invalid conversion from [^a-zA-Z]+([^\\n]*\\))[^\\n]* to ");
  if (std::regex_search(said, found, kFrom)) {
    what = replaced(found[1].str(), "(*)", fmt::format(" {}", source.kernel.name));
    what = replaced(what, "  ", " ");
  } else if (said.find("no matches converting") != std::string::npos) {
    what = "only others of that name";
  }
  return fmt::format("{}: expected the function {} at global scope, found {}\n", source.file,
                     declaration_of(source.kernel), what);
}

/// Of a file whose function of that name takes other arguments, for which errors in its body may
/// come before the compiler gets to it.
std::string other_arguments(const KernelSource& source) {
  const std::string text = read_file(source.file), expected = declaration_of(source.kernel);
  const std::regex definition(fmt::format(R"(\b{}\s*\(([^()]*)\)\s*\{{)", source.kernel.name));
  const std::size_t type = expected.rfind("::") + 2;
  std::smatch found;
  if (!std::regex_search(text, found, definition) ||
      found[1].str().find(expected.substr(type, expected.rfind('&') - type)) != std::string::npos)
    return "";
  return fmt::format("{}: expected the function {} at global scope, found {}({})\n", source.file,
                     expected, source.kernel.name, found[1].str());
}

std::string problem_of(const KernelSource& source, const std::string& said) {
  const Said by = sorted(source, said);
  const bool has_error = by.others.find("error:") != std::string::npos;
  return has_error ? other_arguments(source) + by.others
                   : wrong_signature(source, by.about_wrapper);
}

}  // namespace

RanCompiler run_compiler(const Words& command, const fs::path& output) {
  using namespace std::chrono_literals;
  ProcessEnd end;
  {
    ChildProcess process(command, output);
    std::optional<ProcessEnd> how;
    while (!(how = process.poll())) std::this_thread::sleep_for(5ms);
    end = *how;
  }
  return {end, read_file(output)};
}

fs::path wrapper_of(const KernelSource& source) {
  return source.folder / "entry.cu";
}

std::string words_of_compiler(const KernelSource& source, const std::string& said) {
  return sorted(source, said).others;
}

void check_has_sources() {
  check(fs::is_regular_file(fs::path(kernel_build::kSource) / "kernels/cuda/gpu.h"),
        "a kernel is compiled against Glia's sources, which are no longer in {}: run a glia that "
        "was built where its sources are",
        kernel_build::kSource);
}

void check_can_compile() {
  namespace build = kernel_build;
  check(
      build::kEmulator,
      "glia kernel needs the emulator, and this program was built without it: build it again with "
      "tools/build -- -DGLIA_EMU=ON (docs/emulator.md)");
  check_has_sources();
  check(::access(build::kCompiler, X_OK) == 0,
        "glia kernel compiles with {}, the compiler of this build, which is not there: install it, "
        "or build Glia with another",
        build::kCompiler);
  check(fs::is_regular_file(build::kJudge),
        "glia kernel needs the program {}: build it with tools/build kernel_judge", build::kJudge);
}

void write_wrapper(const KernelSource& source) {
  const std::string args = declaration_of(source.kernel);
  const std::size_t at = args.find("const ") + 6;
  write_file_atomically(
      wrapper_of(source),
      fmt::format("#include \"{}\"\n"
                  "#include \"kernels/api/plugin.h\"\n"
                  "namespace {{\n"
                  "constexpr glia::Kernel<{}> kGliaKernel = {};\n"
                  "void glia_install(glia::KernelTable& table) {{ table.{} = kGliaKernel; }}\n"
                  "}}\n"
                  "GLIA_PLUGIN(\"{}\", glia_install)\n",
                  fs::absolute(source.file).string(), args.substr(at, args.size() - at - 2),
                  source.kernel.name, source.kernel.name,
                  fs::path(source.file).stem().string().substr(0, 24)));
}

Compiled compile_kernel(const KernelSource& source, bool race) {
  namespace build = kernel_build;
  const std::string name = race ? "race" : "plain";
  const fs::path object = source.folder / (name + ".o"), library = source.folder / (name + ".so");
  const fs::path said = source.folder / (name + ".txt");
  Words command{build::kCompiler,
                "-std=c++20",
                "-O1",
                "-g1",
                "-gdwarf-4",
                "-fPIC",
                "-w",
                "-fno-omit-frame-pointer",
                "-fdiagnostics-color=never",
                "-fmax-errors=5",
                "-DGLIA_EMULATED",
                "-include",
                fmt::format("{}/kernels/emu/runtime_names.h", build::kSource),
                fmt::format("-I{}", build::kSource),
                "-isystem",
                build::kCudaHeaders};
  if (race)
    for (const std::string& flag : split(build::kRaceFlags)) command.push_back(flag);
  for (const std::string& word : {std::string("-x"), std::string("c++"), std::string("-c"),
                                  wrapper_of(source).string(), std::string("-o"), object.string()})
    command.push_back(word);
  RanCompiler ran = run_compiler(command, said);
  if (!ran.good()) return {{}, problem_of(source, ran.said)};
  // Its own functions before those of the program that have the same names. Without
  // -fsanitize=thread here, since the hooks are the program's.
  ran = run_compiler({build::kCompiler, "-shared", "-Wl,-Bsymbolic-functions", object.string(),
                      "-o", library.string()},
                     said);
  if (!ran.good()) return {{}, fmt::format("{}: cannot be linked: {}\n", source.file, ran.said)};
  return {library, {}};
}

Compiled compile_for_gpu(const KernelSource& source, const std::string& architecture) {
  const fs::path library = source.folder / "gpu.so";
  const RanCompiler ran =
      run_compiler({"nvcc", "-std=c++20", "-O3", "-arch=" + architecture, "-w",
                    "--expt-relaxed-constexpr", fmt::format("-I{}", kernel_build::kSource),
                    "-Xcompiler=-fPIC", "-Xlinker=-Bsymbolic-functions", "-shared",
                    wrapper_of(source).string(), "-o", library.string()},
                   source.folder / "gpu.txt");
  if (ran.end.status == kNoSuchProgram)
    return {{},
            fmt::format("{}: found no nvcc on the PATH, which compiles it for a GPU; it comes with "
                        "the CUDA toolkit\n",
                        source.file)};
  if (!ran.good()) return {{}, problem_of(source, ran.said)};
  return {library, {}};
}

}  // namespace glia
