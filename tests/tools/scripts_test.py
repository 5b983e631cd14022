"""The scripts that install and build, on machines that lack something: each is made of a folder with
just the programs that it has. Usage: scripts_test.py"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
USUAL = ("awk bash cat cp cut dirname df env getconf grep head id mkdir mktemp nproc printf rm sed sh "
         "sort tail touch").split()


class Machine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.bin = Path(self.folder.name) / "bin"
        self.bin.mkdir()
        for name in USUAL:
            (self.bin / name).symlink_to(shutil.which(name))

    def has(self, name, script="exit 0"):
        """A program of the machine that does `script`."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run_script(self, *command, **environment):
        done = subprocess.run([str(ROOT / command[0]), *command[1:]], capture_output=True, text=True,
                              env={"PATH": str(self.bin), "HOME": self.folder.name, **environment})
        return done.returncode, done.stdout + done.stderr

    def refused(self, wanted, *command, code=1, **environment):
        status, said = self.run_script(*command, **environment)
        self.assertEqual(status, code, said)
        for text in wanted:
            self.assertIn(text, said)
        return said


class InstallDependencies(Machine):
    def one_line(self, wanted, *arguments, **environment):
        said = self.refused(wanted, "tools/install-dependencies", *arguments, **environment)
        self.assertEqual(len(said.splitlines()), 1, said)

    def test_names_the_packages_of_other_systems(self):
        for manager, names in {"dnf": ["sudo dnf install", "gcc-c++", "google-highway-devel"],
                               "pacman": ["sudo pacman -S", "highway", "nifti2"],
                               "brew": ["brew install", "libomp", "cli11"]}.items():
            with self.subTest(manager):
                self.has(manager)
                self.one_line([*names, "GLIA_SKIP_INSTALL=1"])
                (self.bin / manager).unlink()

    def test_says_in_general_what_is_needed_where_no_manager_is_known(self):
        self.one_line(["none of apt-get, dnf, pacman and brew", "Highway", "fmt"])
        self.one_line(["Catch2"], "--tests")

    def test_skips_on_demand(self):
        status, said = self.run_script("tools/install-dependencies", GLIA_SKIP_INSTALL="1")
        self.assertEqual((status, said), (0, ""))

    def test_unknown_argument(self):
        self.refused(["--everything", "--tests or --ci"], "tools/install-dependencies", "--everything",
                     code=2)

    def apt(self, script):
        self.has("dpkg-query", "exit 1")
        self.has("apt-get", script)

    def test_without_root_or_sudo_it_gives_the_command_for_root(self):
        self.apt("exit 0")
        self.has("id", "echo 1000")
        self.one_line(["no sudo", "apt-get install --no-install-recommends g++ cmake"])

    def test_by_sudo(self):
        self.apt("exit 0")
        self.has("id", "echo 1000")
        self.has("sudo", 'echo "as root: $*"; "$@"')
        status, said = self.run_script("tools/install-dependencies")
        self.assertEqual(status, 0, said)
        self.assertIn("Installing: g++ cmake", said)

    def test_a_failed_installation_shows_why(self):
        self.apt('[ $1 = update ] || { echo "E: Unable to locate package g++" >&2; exit 100; }')
        self.has("id", "echo 0")
        said = self.refused(["E: Unable to locate package g++", "could not install the packages",
                             "Without a network"], "tools/install-dependencies")
        self.assertEqual(len(said.splitlines()), 3, said)  # Installing, apt's own line, ours

    def test_what_is_there_is_not_installed_again(self):
        self.apt("echo never; exit 1")
        self.has("dpkg-query", "echo installed")
        self.assertEqual(self.run_script("tools/install-dependencies", "--tests"), (0, ""))


class Build(Machine):
    def cmake(self, version):
        self.has("cmake", f'echo "cmake version {version}"')

    def test_cmake_missing_or_too_old(self):
        self.refused(["found no cmake", "tools/install-dependencies"], "tools/build")
        for version in ("3.22.1", "3.9.0"):
            self.cmake(version)
            self.refused([f"cmake {version} is too old, 3.25"], "tools/build")

    def test_no_compiler(self):
        self.cmake("3.25.1")
        self.refused(["found no C++ compiler"], "tools/build")
        self.refused(["found no C++ compiler (g++-99)"], "tools/build", CXX="g++-99")

    def test_no_place(self):
        self.cmake("4.0.0")
        self.has("c++")
        self.refused(["cannot write to /proc/build", "GLIA_BUILD_DIR"], "tools/build",
                     GLIA_BUILD_DIR="/proc/build")
        self.has("df", "echo Filesystem; echo x 500 380 120 76% /")
        self.refused(["120 MiB are free", "GLIA_BUILD_DIR"], "tools/build",
                     GLIA_BUILD_DIR=self.folder.name + "/build")

    def test_a_disk_that_gets_full(self):
        self.has("c++")
        self.has("cmake", 'case $1 in --version) echo "cmake version 3.31.6" ;; -S) ;; *) exit 1 ;; esac')
        build = Path(self.folder.name) / "build"
        build.mkdir()
        (build / "build.ninja").touch()
        self.has("df", "echo Filesystem; echo x 500 500 0 100% /")
        self.refused(["is full"], "tools/build", GLIA_BUILD_DIR=str(build))

    def test_options_and_targets_reach_cmake(self):
        self.has("c++")
        self.has("cmake", 'case $1 in --version) echo "cmake version 3.31.6" ;; '
                          f'*) echo "$*" >>{self.folder.name}/calls ;; esac')
        folder = self.folder.name + "/b"
        status, said = self.run_script(
            "tools/build", "glia", "--", "-DGLIA_TESTS=OFF", GLIA_JOBS="3",
            GLIA_BUILD_DIR=folder, GLIA_CMAKE_OPTIONS="-DGLIA_WERROR=ON -DX=1")
        self.assertEqual(status, 0, said)
        calls = (Path(self.folder.name) / "calls").read_text()
        self.assertIn(f"--preset release -B {folder} -DGLIA_TESTS=OFF -DGLIA_WERROR=ON -DX=1", calls)
        self.assertIn("--parallel 3 --target glia", calls)
        self.refused(["--fast", "after --"], "tools/build", "--fast", code=2)
        self.run_script("tools/build", GLIA_PRESET="asan", GLIA_BUILD_DIR=folder)
        self.assertIn("--preset asan", (Path(self.folder.name) / "calls").read_text())


class Jobs(Machine):
    def jobs(self, cores, mebibytes, groups=()):
        folder = Path(tempfile.mkdtemp(dir=self.folder.name))
        self.has("nproc", f"echo {cores}")
        (folder / "meminfo").write_text(f"MemTotal: 99999999 kB\nMemAvailable: {mebibytes * 1024} kB\n")
        for name, value in dict(groups).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(f"{value}\n")
        return self.run_script("tools/jobs", "--proc", str(folder), "--cgroup", str(folder))

    def test_by_cores_and_memory(self):
        self.assertEqual(self.jobs(2, 24000), (0, "2\n"))
        self.assertEqual(self.jobs(64, 24000), (0, "34\n"))
        self.assertEqual(self.jobs(1, 24000), (0, "1\n"))
        self.assertEqual(self.jobs(8, 2048), (0, "2\n"))

    def test_less_than_one_compiler_needs(self):
        status, said = self.jobs(4, 300)
        self.assertEqual(status, 0)
        self.assertIn("300 MiB of memory are free", said)
        self.assertIn("1\n", said.splitlines(keepends=True))

    def test_in_a_container(self):
        mib = 1 << 20
        self.assertEqual(self.jobs(16, 64000, {"memory.max": 3000 * mib, "memory.current": 100 * mib}),
                         (0, "4\n"))
        self.assertEqual(self.jobs(16, 24000, {"memory.max": "max", "memory.current": 100 * mib}),
                         (0, "16\n"))
        self.assertEqual(self.jobs(16, 24000, {
            "memory/memory.limit_in_bytes": 9223372036854771712,
            "memory/memory.usage_in_bytes": 5 * mib}), (0, "16\n"))
        self.assertEqual(self.jobs(16, 24000, {
            "memory/memory.limit_in_bytes": 1500 * mib,
            "memory/memory.usage_in_bytes": 0}), (0, "2\n"))


class Dev(Machine):
    def setUp(self):
        super().setUp()
        (self.bin / "python3").symlink_to(sys.executable)

    def test_lists_the_operations(self):
        status, said = self.run_script("dev")
        self.assertEqual(status, 0, said)
        for op in ("conv2d", "mean", "optim"):
            self.assertRegex(said, rf"\n  {op} ")

    def test_unknown_operation_or_argument(self):
        self.refused(["found the operation 'rellu'", "relu?"], "dev", "rellu")
        self.refused(["found '--fast'", "--backends cpu,emu"], "dev", "relu", "--fast")

    def test_names_the_parts_of_every_operation_and_builds_its_tests(self):
        self.has("c++")
        self.has("cmake", 'case $1 in --version) echo "cmake version 3.31.6" ;; -S) ;; *) exit 1 ;; esac')
        build = Path(self.folder.name) / "build"
        for op, wanted in {"relu": ["docs/ops/relu.md", "kernels/cuda/elementwise.cu", "bench --op relu"],
                           "optim": ["tests/ops/optim_step_test.cpp", "--op adam,sgd,rmsprop"],
                           "mean": ["tests/ops/arithmetic_test.cpp"]}.items():
            self.refused([*wanted, "it does not build"], "dev", op, GLIA_BUILD_DIR=str(build))


class Check(Machine):
    def test_unknown_argument(self):
        self.refused(["--fast", "--ci"], "tools/check", "--fast", code=2)
        self.has("clang-tidy")
        self.refused(["--fast", "--all or files"], "tools/check-tidy", "--fast", code=2)


if __name__ == "__main__":
    unittest.main()
