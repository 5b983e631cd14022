#include "apps/kernel/assembly.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

#include "glia_kernel_build.h"

namespace glia {

namespace {

namespace fs = std::filesystem;

struct Kind {
  const char* name;
  std::set<std::string> operations;  // the first part of an instruction's name
};

/// In the order in which they are shown.
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"tensor cores", {"HMMA", "IMMA", "DMMA", "BMMA", "HGMMA", "IGMMA", "QGMMA", "BGMMA"}},
      {"fp32", {"FFMA", "FADD", "FMUL", "FFMA32I", "FADD32I", "FMUL32I", "MUFU"}},
      {"fp64", {"DFMA", "DADD", "DMUL"}},
      {"shared memory", {"LDS", "STS", "LDSM", "STSM", "ATOMS"}},
      {"device memory", {"LDG", "STG", "LDGSTS", "LD", "ST", "RED", "REDG", "ATOM", "ATOMG"}},
      {"local memory", {"LDL", "STL"}},
      {"barriers", {"BAR", "SYNCS", "WARPSYNC", "DEPBAR", "LDGDEPBAR"}}};
  return all;
}

std::string operation_in(const std::string& instruction) {
  static const std::regex kPredicate("^@!?U?P\\w+\\s+");
  const std::string text = std::regex_replace(instruction, kPredicate, "");
  return text.substr(0, text.find_first_of(" .;"));
}

std::string shares_text(const std::map<std::string, int>& operations) {
  int all = 0, rest = 0;
  std::map<std::string, int> of_kind;
  for (const auto& [operation, count] : operations) {
    all += count;
    rest += count;
    for (const Kind& kind : kinds())
      if (kind.operations.contains(operation)) {
        of_kind[kind.name] += count;
        rest -= count;
      }
  }
  std::vector<std::string> shares;
  const auto add = [&](const char* name, int count) {
    if (count > 0) shares.push_back(fmt::format("{:.0f} % {}", 100.0 * count / all, name));
  };
  for (const Kind& kind : kinds()) add(kind.name, of_kind[kind.name]);
  add("others", rest);
  return fmt::format("{} instructions: {}", all, fmt::join(shares, ", "));
}

/// A line a function, or why there is none.
std::string sass_of(const fs::path& object, const fs::path& folder) {
  const char* named = std::getenv("CUOBJDUMP");
  const std::string program = named ? named : "cuobjdump";
  const RanCompiler ran =
      run_compiler({program, "-sass", object.string()}, folder / "cuobjdump.txt");
  if (ran.end.status == kNoSuchProgram)
    return fmt::format(
        "shares of instructions need {}, which is not found: it comes with the CUDA toolkit, or as "
        "nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm from PyPI; CUOBJDUMP can name it\n",
        program);
  if (!ran.good()) return fmt::format("shares of instructions: {} failed: {}\n", program, ran.said);
  std::string text;
  for (const auto& [function, shares] : instruction_shares(ran.said))
    text += fmt::format("{} ({})\n", shares, function);
  return text;
}

}  // namespace

std::map<std::string, std::string> instruction_shares(const std::string& sass) {
  static const std::regex kFunction("^\\s*Function : (\\S+)"),
      kInstruction("^\\s*/\\*[0-9a-f]{4,}\\*/\\s+([^;]*);");
  std::map<std::string, std::map<std::string, int>> found;
  std::istringstream lines(sass);
  std::string function;
  std::smatch part;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, part, kFunction)) function = part[1];
    if (!std::regex_search(line, part, kInstruction)) continue;
    const std::string operation = operation_in(part[1]);
    if (operation != "NOP") ++found[function][operation];  // what fills up the last line of code
  }
  std::map<std::string, std::string> texts;
  for (const auto& [name, operations] : found) texts[name] = shares_text(operations);
  return texts;
}

std::string assembly_of(const KernelSource& source) {
  const fs::path object = source.folder / "sm_90.o";
  const RanCompiler ran =
      run_compiler({"nvcc", "-std=c++20", "-arch=sm_90", "-Xptxas", "-v", "-w",
                    "--expt-relaxed-constexpr", fmt::format("-I{}", kernel_build::kSource), "-c",
                    wrapper_of(source).string(), "-o", object.string()},
                   source.folder / "nvcc.txt");
  if (ran.end.status == kNoSuchProgram) return "";
  if (!ran.good()) return words_of_compiler(source, ran.said);
  std::string result, name, spills;
  std::istringstream lines(ran.said);
  std::smatch found;
  static const std::regex kEntry("entry function '([^']*)'"), kRegisters("Used ([0-9]+) registers"),
      kSpills("([0-9]+) bytes spill stores");
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, found, kEntry)) name = found[1];
    if (std::regex_search(line, found, kSpills)) spills = found[1];
    if (std::regex_search(line, found, kRegisters))
      result += fmt::format("{} registers, {} ({})\n", found[1].str(),
                            spills == "0" ? "no spills" : spills + " bytes of spills", name);
  }
  return result.empty() ? result : result + sass_of(object, source.folder);
}

}  // namespace glia
