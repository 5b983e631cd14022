// Limits on memory, read from files as Linux writes them.
#include "engine/runtime/memory_room.h"

#include "engine/base/file.h"
#include "tests/catch.h"
#include "tests/temp_folder.h"

namespace glia::test {

namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

/// A made-up machine with 8000 MiB, of which 6000 are free.
class Machine {
 public:
  Machine() {
    write("proc/meminfo",
          "MemTotal:        8192000 kB\nMemFree:   9 kB\nMemAvailable:    6144000 kB\n");
  }
  void write(const std::string& file, const std::string& text) const {
    make_folder((root_.path() / file).parent_path());
    write_file_atomically(root_.path() / file, text);
  }
  /// A group of version 2 that has used `used` MiB, `cache` of them for files.
  void group(const std::string& folder, const std::string& limit, std::size_t used,
             std::size_t cache) const {
    write(folder + "/memory.max", limit + "\n");
    write(folder + "/memory.current", fmt::format("{}\n", used * kMebibyte));
    write(folder + "/memory.stat",
          fmt::format("anon 7\nfile 8\nactive_file 9\ninactive_file {}\n", cache * kMebibyte));
  }
  /// Its own limits, without those of this test's own shell.
  std::vector<MemoryLimit> limits() const {
    std::vector<MemoryLimit> found = memory_limits(root_.path());
    std::erase_if(found, [](const MemoryLimit& l) { return l.name.starts_with("ulimit"); });
    return found;
  }

 private:
  TempFolder root_;
};

std::string megabytes(std::size_t count) {
  return std::to_string(count * kMebibyte);
}

void check_limit(const MemoryLimit& limit, const std::string& name, std::size_t total,
                 std::size_t free) {
  CHECK(limit.name == name);
  CHECK(limit.total == total * kMebibyte);
  CHECK(limit.free == free * kMebibyte);
}

}  // namespace

TEST_CASE("memory room: the machine's own where nothing else limits it", "[memory]") {
  const Machine machine;
  const auto limits = machine.limits();
  REQUIRE(limits.size() == 1);
  check_limit(limits[0], "the machine's memory", 8000, 6000);
  CHECK(limits[0].device);
  CHECK(least_memory(limits)->str() == "the machine's memory of 8000 MiB");
  CHECK_FALSE(least_memory({}).has_value());
}

TEST_CASE("memory room: control groups of version 2, each up to the mount point", "[memory]") {
  const Machine machine;
  machine.write("proc/self/cgroup", "0::/slice/job\n");
  machine.write("proc/self/mountinfo",
                "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                "31 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
  machine.group("sys/fs/cgroup/slice/job", "max", 100, 0);
  machine.group("sys/fs/cgroup/slice", megabytes(3000), 1500, 400);
  machine.group("sys/fs/cgroup", megabytes(9000), 2000, 0);
  const auto limits = machine.limits();
  REQUIRE(limits.size() == 3);
  check_limit(limits[1], "the control group /slice", 3000, 1900);
  check_limit(limits[2], "the control group /", 9000, 7000);
  CHECK_FALSE(limits[1].device);
  CHECK(least_memory(limits)->str() == "the control group /slice of 3000 MiB");
  machine.group("sys/fs/cgroup/slice", megabytes(3000), 3200, 0);  // just lowered
  check_limit(*least_memory(machine.limits()), "the control group /slice", 3000, 0);
}

TEST_CASE("memory room: a container whose group lies at the mount point", "[memory]") {
  const Machine machine;
  machine.group("sys/fs/cgroup", megabytes(2048), 48, 0);
  // Without a namespace of its own, with one, and with one that was entered later.
  for (const auto& [root, group] : {std::pair("/docker/7a", "/docker/7a"), std::pair("/", "/"),
                                    std::pair("/..", "/"), std::pair("/", "/../other")}) {
    CAPTURE(root, group);
    machine.write("proc/self/cgroup", fmt::format("0::{}\n", group));
    machine.write("proc/self/mountinfo",
                  fmt::format("31 22 0:26 {} /sys/fs/cgroup ro - cgroup2 cgroup rw\n", root));
    const auto limits = machine.limits();
    REQUIRE(limits.size() == 2);
    check_limit(limits[1], "the control group /", 2048, 2000);
  }
}

TEST_CASE("memory room: control groups of version 1, of the hierarchy for memory", "[memory]") {
  const Machine machine;
  machine.write("proc/self/cgroup", "9:cpu,cpuacct:/x\n4:memory:/job/7\n0::/y\n");
  machine.write("proc/self/mountinfo",
                "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
                "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
                "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n");
  const auto group = [&](const std::string& folder, const std::string& limit) {
    machine.write(folder + "/memory.limit_in_bytes", limit);
    machine.write(folder + "/memory.usage_in_bytes", megabytes(500));
    machine.write(folder + "/memory.stat",
                  "inactive_file 4096\ntotal_inactive_file " + megabytes(100) + "\n");
  };
  group("sys/fs/cgroup/memory/job/7", megabytes(1000));
  group("sys/fs/cgroup/memory/job", megabytes(700) + "\n");
  group("sys/fs/cgroup/memory", "9223372036854771712\n");  // how version 1 writes "none"
  const auto limits = machine.limits();
  REQUIRE(limits.size() == 3);
  check_limit(limits[1], "the control group /job/7", 1000, 600);
  check_limit(limits[2], "the control group /job", 700, 300);
}

TEST_CASE("memory room: what cannot be read limits nothing", "[memory]") {
  const Machine machine;
  machine.write("proc/self/cgroup", "nonsense\n0::/a\n:\n");
  machine.write("proc/self/mountinfo", "\nshort line - \n1 2 3 / /cg rw - cgroup2 cgroup2 rw\n");
  machine.write("cg/a/memory.max", "");
  machine.write("cg/memory.max", "12 MiB?");
  CHECK(machine.limits().size() == 1);
  machine.write("proc/meminfo", "MemTotal: much\n");
  CHECK(machine.limits().empty());
}

}  // namespace glia::test
