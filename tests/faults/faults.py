"""What becomes of runs that are disturbed: killed at random moments, on a disk that is full, or two of
them at once. Each must end with the bits of one that nobody disturbed, or be refused and leave nothing.
Prints a line an experiment with the number of its trials; docs/reliability.md says what is promised.

Usage: faults.py GLIA [--kills N] [--sizes N] [--seed S] [--only NAME]
  --kills N  kills of each setting (34: a hundred of the three together)
  --sizes N  how many sizes of a disk are tried for each command (40)
"""
import argparse
import hashlib
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NETWORK = ["--base-width", "4", "--depth", "2", "--batch-size", "2", "--threads", "1"]
SETTINGS = {
    "checkpoint each step": ["--epochs", "6", "--checkpoint-every", "1"],
    "checkpoint each epoch": ["--epochs", "12", "--checkpoint-every", "0", "--optimizer", "sgd"],
    "dropout, augmentation": ["--epochs", "6", "--checkpoint-every", "3", "--dropout", "0.3",
                              "--augment", "noise=0.05,flip,rotate=10", "--loader-threads", "2",
                              "--norm", "group"],
}


class Failure(Exception):
    pass


class Workshop:
    """A folder with slices, a split of them, and the program."""

    def __init__(self, glia, folder):
        self.glia, self.folder = str(Path(glia).resolve()), Path(folder)
        self.must("phantom", "--out", "slices", "--patients", "6", "--slices", "4", "--size", "32")
        self.must("split", "--data", "slices", "--out", "split", "--val", "0.3")

    def start(self, *words, **how):
        return subprocess.Popen([self.glia, *map(str, words)], cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)

    def run(self, *words, **how):
        process = self.start(*words, **how)
        said = process.communicate()[0]
        return process.returncode, said

    def must(self, *words):
        status, said = self.run(*words)
        if status != 0:
            raise Failure(f"{' '.join(map(str, words))}: status {status}: {said}")
        return said

    def train(self, out, *more):
        return ["train", "--data", "slices", "--split", "split", "--out", out, *NETWORK, *more]

    def names(self):
        return sorted(os.listdir(self.folder))


def tensors(path):
    """A hash of a checkpoint without its metadata, which hold seconds."""
    data = path.read_bytes()
    return hashlib.sha256(data[8 + struct.unpack("<Q", data[:8])[0]:]).hexdigest()


def result_of(run):
    """The bits of a run: tensors of both checkpoints, and metrics without their two columns of seconds."""
    metrics = [line.rsplit(",", 2)[0] for line in (run / "metrics.csv").read_text().splitlines()]
    return tensors(run / "last.safetensors"), tensors(run / "best.safetensors"), metrics


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def expect(what, fact):
    if not fact:
        raise Failure(what)


def kills(shop, options, rng):
    """kill -9 at random moments, and the run goes on until it has ended."""
    done = 0
    for number, (name, more) in enumerate(SETTINGS.items()):
        whole, killed = f"whole{number}", f"killed{number}"
        began = time.monotonic()
        shop.must(*shop.train(whole, *more))
        length = time.monotonic() - began
        here = 0
        while here < options.kills:
            words = shop.train(killed, *more)
            while True:
                process = shop.start(*words)
                try:
                    process.communicate(timeout=rng.uniform(0, length))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.communicate()
                    here += 1
                    begun = (shop.folder / killed / "last.safetensors").exists()
                    words = ["train", "--resume", killed] if begun else shop.train(killed, *more)
                    if here < options.kills:
                        continue
                    shop.must(*words)
                else:
                    expect(f"{name}: status {process.returncode} after {here} kills",
                           process.returncode == 0)
                break
            expect(f"{name}: other bits after {here} kills",
                   result_of(shop.folder / killed) == result_of(shop.folder / whole))
            left = [p.name for p in (shop.folder / killed).rglob("*") if ".part" in p.name]
            expect(f"{name}: left behind: {left}", not left)
            subprocess.run(["rm", "-r", shop.folder / killed], check=True)
        done += here
    return f"{done} kills in {len(SETTINGS)} settings: each run ended with the bits of one never killed"


COMMANDS = {
    "phantom": ["phantom", "--patients", "2", "--slices", "2", "--size", "32", "--out"],
    "split": ["split", "--data", "slices", "--out"],
    "train": ["train", "--data", "slices", "--split", "split", *NETWORK, "--epochs", "1", "--out"],
    "predict": ["predict", "--checkpoint", "run/best.safetensors", "--input", "slices", "--threads", "1",
                "--out"],
    "evaluate": ["evaluate", "--checkpoint", "run/best.safetensors", "--data", "slices", "--threads", "1",
                 "--out"],
    "explain": ["explain", "--checkpoint", "run/best.safetensors", "--input", "slices/0_img.npy",
                "--methods", "saliency", "--target", "image", "--threads", "1", "--out"],
    "bench": ["bench", "--device", "cpu", "--op", "relu", "--shape", "1x8x8x8", "--row-seconds", "0",
              "--samples", "1", "--out"],
    "export": ["export", "--checkpoint", "run/best.safetensors", "--onnx"],
    "export-weights": ["export-weights", "--checkpoint", "run/best.safetensors", "--out"],
    "model-card": ["model-card", "--checkpoint", "run/best.safetensors", "--out"],
}


def pages_of(path):
    """How many pages of 4 KiB the files below a path take."""
    return sum(-(-p.stat().st_size // 4096) for p in [path, *path.rglob("*")] if p.is_file())


class SmallDisk:
    """A disk of so many KiB, where this user may mount one."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def mount(self, kibibytes):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", self.folder],
                              capture_output=True).returncode == 0

    def enlarge(self):
        subprocess.run(["mount", "-o", "remount,size=16m", self.folder], check=True)

    def unmount(self):
        subprocess.run(["umount", self.folder], check=True)


def full_disk(shop, options, rng):
    """Each command on disks of many sizes, from a page to three times what it leaves; and again, as its
    message says, once there is room."""
    shop.must(*shop.train("run", "--epochs", "1"))
    disk = SmallDisk(shop.folder / "disk")
    if not disk.mount(64):
        return "skipped: this user may mount no disk (run it as root)"
    disk.unmount()
    trials = full = 0
    for name, words in COMMANDS.items():
        shop.must(*words, "plain")
        pages = pages_of(shop.folder / "plain")
        subprocess.run(["rm", "-r", shop.folder / "plain"], check=True)
        for step in range(options.sizes):
            size = 4 * max(1, pages * 3 * (step + 1) // options.sizes)  # a replaced file is there twice
            disk.mount(size)
            try:
                status, said = shop.run(*words, "disk/out")
                left = sorted(p.name for p in disk.folder.iterdir())
                trials += 1
                if status != 0:
                    full += 1
                    expect(f"{name} on {size} KiB: status {status}: {said}", status == 1)
                    expect(f"{name} on {size} KiB says nothing of the disk: {said}",
                           "No space left" in said or "No such file" in said)
                    parts = [str(p) for p in disk.folder.rglob("*")
                             if ".part" in p.name or ".glia-" in p.name]
                    expect(f"{name} on {size} KiB left {parts}", not parts)
                    disk.enlarge()
                    again = ["--overwrite"] if "--overwrite" in said else []
                    status, more = shop.run(*words, "disk/out", *again)
                    expect(f"{name} after {size} KiB: status {status}: {said}{more}", status == 0)
                    status = 1
                else:
                    expect(f"{name} on {size} KiB: status 0 and no output", left)
            finally:
                disk.unmount()
        expect(f"{name}: never fitted, even into {size} KiB", status == 0)
    return (f"{trials} disks, {full} of them too small for one of {len(COMMANDS)} commands: "
            "each ended with status 1 and a message, and no part of a file was left; given again as the "
            "message says, each passed once there was room")


def full_output(shop, options, rng):
    """What is printed cannot be written: status 1. A closed standard error does no harm."""
    shop.must(*shop.train("printed", "--epochs", "1"))
    words = {name: [w.replace("run/", "printed/") for w in words] for name, words in COMMANDS.items()}
    words["doctor"], words["plan"] = ["doctor"], ["plan", "--available-mib", "1000"]
    words["check-data"] = ["check-data", "--data", "slices"]
    trials = 0
    for name, command in words.items():
        outputs = [] if name in ("doctor", "plan", "check-data") else [f"of-{name}"]
        with open("/dev/full", "w") as full:
            status = subprocess.run([shop.glia, *command, *outputs], cwd=shop.folder, stdout=full,
                                    stderr=subprocess.PIPE).returncode
        expect(f"{name} > /dev/full: status {status}", status == 1)
        for output in outputs:
            subprocess.run(["rm", "-rf", shop.folder / output], check=True)
        closed = subprocess.run(" ".join([shop.glia, *command, *outputs, "2>&-"]), cwd=shop.folder,
                                shell=True, stdout=subprocess.DEVNULL).returncode
        expect(f"{name} 2>&-: status {closed}", closed == 0)
        trials += 2
    return f"{trials} runs of {len(words)} commands with an output that takes nothing or is closed"


def two_at_once(shop, options, rng):
    """Two programs, one folder: one of them does the work, the other is refused or does the same."""
    shop.must(*shop.train("alone", *SETTINGS["checkpoint each step"]))
    trials = 0
    for number in range(max(2, options.kills // 4)):
        out = f"both{number}"
        words = shop.train(out, *SETTINGS["checkpoint each step"])
        both = [shop.start(*words), shop.start(*words)]
        said = [process.communicate()[0] for process in both]
        codes = sorted(process.returncode for process in both)
        expect(f"two train: {codes} {said}", codes == [0, 1])
        expect("two train: other bits",
               result_of(shop.folder / out) == result_of(shop.folder / "alone"))
        trials += 1
    shop.must(*shop.train("run", "--epochs", "1"))
    for name in ("phantom", "split", "predict", "evaluate", "explain"):
        words = COMMANDS[name]
        shop.must(*words, f"{name}-alone")
        for number in range(max(2, options.kills // 4)):
            out = f"{name}-both{number}"
            both = [shop.start(*words, out), shop.start(*words, out)]
            said = [process.communicate()[0] for process in both]
            codes = sorted(process.returncode for process in both)
            staged = name in ("phantom", "split")
            expect(f"two {name}: {codes} {said}", codes in ([0, 1], [0, 0]) if staged else codes == [0, 1])
            same = files_of(shop.folder / out)
            alone = files_of(shop.folder / f"{name}-alone")
            expect(f"two {name}: other files", same == alone if not staged else same.keys() == alone.keys())
            trials += 1
    hidden = [name for name in shop.names() if name.startswith(".")]
    expect(f"left behind: {hidden}", not hidden)
    return (f"{trials} pairs of train, phantom, split, predict, evaluate and explain on one folder: "
            "one result, nothing left behind")


def repeats(shop, options, rng):
    """A command given again: refused where its files are there, and --overwrite ends with the same ones,
    whenever it was killed in between."""
    shop.must(*shop.train("run", "--epochs", "1"))
    repeated = kills = 0
    for name in ("phantom", "split", "predict", "evaluate", "explain"):
        words, whole, again = COMMANDS[name], f"{name}-whole", f"{name}-again"
        began = time.monotonic()
        shop.must(*words, whole)
        length = time.monotonic() - began
        before = files_of(shop.folder / whole)
        status, said = shop.run(*words, whole)
        expect(f"{name} again: status {status}: {said}", status == 1 and "--overwrite" in said)
        expect(f"{name} again: other files", files_of(shop.folder / whole) == before)
        shop.must(*words, whole, "--overwrite")
        expect(f"{name} --overwrite: other files", files_of(shop.folder / whole) == before)
        repeated += 1
        for _ in range(max(2, options.kills // 4)):
            process = shop.start(*words, again)
            try:
                process.communicate(timeout=rng.uniform(0, length))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                kills += 1
            shop.must(*words, again, *(["--overwrite"] if (shop.folder / again).exists() else []))
            after = files_of(shop.folder / again)
            expect(f"{name}: other files after a kill: {after.keys() ^ before.keys()}",
                   after.keys() == before.keys())
            expect(f"{name}: other bits after a kill", after == before)
            subprocess.run(["rm", "-r", shop.folder / again], check=True)
    return f"{repeated} commands given again and {kills} kills of them: --overwrite ends with the same files"


EXPERIMENTS = {"kills": kills, "full-disk": full_disk, "full-output": full_output,
               "two-at-once": two_at_once, "repeats": repeats}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("glia")
    parser.add_argument("--kills", type=int, default=34)
    parser.add_argument("--sizes", type=int, default=40)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=EXPERIMENTS)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    failed = 0
    for name, experiment in EXPERIMENTS.items():
        if options.only not in (None, name):
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="glia-faults-") as folder:
            try:
                text = experiment(Workshop(options.glia, folder), options, random.Random(options.seed))
            except Failure as failure:
                failed += 1
                text = f"FAILED: {failure}"
        print(f"{name:<12} {text} ({time.monotonic() - began:.0f} s)", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
