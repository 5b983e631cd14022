#include "kernels/emu/places.h"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <unordered_map>

#include "kernels/emu/block.h"

extern "C" const char __executable_start[];  // from the linker
extern "C" const char end[];

namespace glia::emu {
namespace {

// A place is the number of a Site, an offset in the program, or of a library that the program has
// loaded its number, from 1, and an offset in it.
constexpr std::uint32_t kIsSite = 0x80000000u;
constexpr std::uint32_t kIsLibrary = 0x40000000u, kLibraryOffset = 0x01FFFFFFu;
constexpr int kLibraryShift = 25;
constexpr std::size_t kMostLibraries = 31;

// Like the names below never destroyed: the profile's table is made as the program ends.
std::vector<Site>& sites() {
  static std::vector<Site>& all = *new std::vector<Site>;
  return all;
}

struct Library {
  const char* begin;  // offset 0 of its file's addresses
  const char* end;
  std::string path;
};

/// Those that were added, in the order of their numbers.
std::vector<Library>& libraries() {
  static std::vector<Library>& all = *new std::vector<Library>;
  return all;
}

/// The number of the library that holds `address`, or 0 where none does.
std::size_t library_of(const void* address) {
  const auto* byte = static_cast<const char*>(address);
  for (std::size_t i = 0; i < libraries().size(); ++i)
    if (byte >= libraries()[i].begin && byte < libraries()[i].end) return i + 1;
  return 0;
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

/// Names those of `places` that lie in one file; `address` is theirs there.
void look_up(const std::string& file, const std::vector<std::uint32_t>& places,
             const std::function<std::uintptr_t(std::uint32_t)>& address,
             std::unordered_map<std::uint32_t, std::string>& names) {
  if (file.empty() || places.empty()) return;
  std::string command = fmt::format("addr2line -a -i -e '{}'", file);
  // A return address belongs to the line after the call when the call ends its line.
  for (const std::uint32_t place : places) command += fmt::format(" {:#x}", address(place) - 1);
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
      name = next < places.size() ? &names[places[next]] : nullptr;
      ++next;
    } else if (name && !text.starts_with("?") && (name->empty() || is_emulator(*name))) {
      *name = tidy(text);
    }
  }
}

std::size_t library_number(std::uint32_t place) {
  return place & kIsLibrary ? (place & ~kIsLibrary) >> kLibraryShift : 0;
}

/// The program's, then those of each library.
void look_up(const std::vector<std::uint32_t>& places,
             std::unordered_map<std::uint32_t, std::string>& names) {
  std::vector<std::vector<std::uint32_t>> of_file(libraries().size() + 1);
  for (const std::uint32_t place : places)
    if (library_number(place) < of_file.size()) of_file[library_number(place)].push_back(place);
  std::array<char, 4096> program{};
  if (readlink("/proc/self/exe", program.data(), program.size() - 1) > 0)
    look_up(
        program.data(), of_file[0], [](std::uint32_t place) { return link_base() + place; }, names);
  for (std::size_t i = 0; i < libraries().size(); ++i)
    look_up(
        libraries()[i].path, of_file[i + 1],
        [](std::uint32_t place) { return std::uintptr_t{place & kLibraryOffset}; }, names);
}

}  // namespace

void add_library(const void* inside) {
  struct Search {
    const char* byte;
    Library found{};
  } search{.byte = static_cast<const char*>(inside)};
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* data) {
        auto& wanted = *static_cast<Search*>(data);
        const auto* base = reinterpret_cast<const char*>(object->dlpi_addr);
        const char* last = base;
        for (int i = 0; i < object->dlpi_phnum; ++i) {
          const auto& part = object->dlpi_phdr[i];
          if (part.p_type == PT_LOAD) last = std::max(last, base + part.p_vaddr + part.p_memsz);
        }
        const bool holds = wanted.byte >= base && wanted.byte < last;
        if (!holds || !object->dlpi_name || !*object->dlpi_name) return 0;
        wanted.found = {base, last, object->dlpi_name};
        return 1;
      },
      &search);
  if (!search.found.path.empty() && libraries().size() < kMostLibraries)
    libraries().push_back(search.found);
}

std::uint32_t place_of(const void* return_address) {
  const auto* byte = static_cast<const char*>(return_address);
  const auto offset = static_cast<std::uintptr_t>(byte - __executable_start);
  if (byte >= __executable_start && offset < kIsLibrary) return static_cast<std::uint32_t>(offset);
  const std::size_t library = library_of(byte);
  if (library == 0) return 0;
  return kIsLibrary | static_cast<std::uint32_t>(library << kLibraryShift) |
         (static_cast<std::uint32_t>(byte - libraries()[library - 1].begin) & kLibraryOffset);
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
  return (byte >= __executable_start && byte < end) || library_of(address) != 0;
}

}  // namespace glia::emu
