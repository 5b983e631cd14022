#include "kernels/emu/places.h"

#include <elf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <unordered_map>

#include "kernels/emu/block.h"

extern "C" const char __executable_start[];  // from the linker
extern "C" const char end[];

namespace glia::emu {
namespace {

constexpr std::uint32_t kIsSite = 0x80000000u;

// Like the names below never destroyed: the profile's table is made as the program ends.
std::vector<Site>& sites() {
  static std::vector<Site>& all = *new std::vector<Site>;
  return all;
}

/// What to add to an offset in the program so that addr2line finds it.
std::uintptr_t link_base() {
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(__executable_start);
  return header->e_type == ET_DYN ? 0 : reinterpret_cast<std::uintptr_t>(__executable_start);
}

/// Code of ours that was inlined into a kernel or into what launches one: that is named before it.
bool is_emulator(const std::string& frame) {
  const auto has = [&](const char* part) { return frame.find(part) != std::string::npos; };
  return (has("kernels/emu/") && !has("/tests/")) || has("kernels/cuda/gpu.h");
}

/// "path:line" without addr2line's remarks and the source root.
std::string tidy(std::string frame) {
  if (const auto remark = frame.find(" ("); remark != std::string::npos) frame.resize(remark);
  const std::string root = GLIA_SOURCE_DIR "/";
  if (frame.starts_with(root)) frame.erase(0, root.size());
  return frame;
}

void look_up(const std::vector<std::uint32_t>& offsets,
             std::unordered_map<std::uint32_t, std::string>& names) {
  std::array<char, 4096> program{};
  if (readlink("/proc/self/exe", program.data(), program.size() - 1) <= 0) return;
  std::string command = fmt::format("addr2line -a -i -e '{}'", program.data());
  // A return address belongs to the line after the call when the call ends its line.
  for (const std::uint32_t offset : offsets)
    command += fmt::format(" {:#x}", link_base() + offset - 1);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen((command + " 2>/dev/null").c_str(), "r"),
                                                   pclose);
  if (!pipe) return;
  std::array<char, 4096> line{};
  std::size_t next = 0;
  std::string* name = nullptr;
  while (std::fgets(line.data(), static_cast<int>(line.size()), pipe.get())) {
    std::string text = line.data();
    while (!text.empty() && text.back() == '\n') text.pop_back();
    if (text.starts_with("0x")) {
      name = next < offsets.size() ? &names[offsets[next]] : nullptr;
      ++next;
    } else if (name && !text.starts_with("?") && (name->empty() || is_emulator(*name))) {
      *name = tidy(text);
    }
  }
}

}  // namespace

std::uint32_t place_of(const void* return_address) {
  return static_cast<std::uint32_t>(static_cast<const char*>(return_address) - __executable_start);
}

std::uint32_t place_of(Site site) {
  static std::map<std::pair<const char*, int>, std::uint32_t> numbers;
  const auto [found, is_new] =
      numbers.try_emplace({site.file, site.line}, static_cast<std::uint32_t>(sites().size()));
  if (is_new) sites().push_back(site);
  return found->second | kIsSite;
}

std::vector<std::string> place_names(const std::vector<std::uint32_t>& places) {
  static auto& names = *new std::unordered_map<std::uint32_t, std::string>;
  std::vector<std::uint32_t> unknown;
  for (const std::uint32_t place : places)
    if (!(place & kIsSite) && names.try_emplace(place).second) unknown.push_back(place);
  if (!unknown.empty()) look_up(unknown, names);
  std::vector<std::string> result;
  for (const std::uint32_t place : places) {
    if (place & kIsSite) {
      result.push_back(site_name(sites()[place & ~kIsSite]));
    } else {
      const std::string& name = names[place];
      result.push_back(name.empty() ? fmt::format("code+{:#x}", place) : name);
    }
  }
  return result;
}

bool in_program(const void* address) {
  const auto* byte = static_cast<const char*>(address);
  return byte >= __executable_start && byte < end;
}

}  // namespace glia::emu
