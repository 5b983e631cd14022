"""Small trained networks of every kind, for the tests that run them elsewhere."""
import os
import subprocess

VARIANTS = {
    "batch-transpose": ["--norm", "batch", "--up", "transpose"],
    "batch-slice": ["--norm", "batch", "--up", "transpose", "--normalize", "slice"],
    "group-upsample": ["--norm", "group", "--up", "upsample", "--normalize", "slice"],
    "seed": ["--arch", "seed", "--normalize", "dataset"],
}


class Networks:
    """Trains one network a variant in `folder`."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.glia("phantom", "--out", self.path("slices"), "--patients", "2", "--slices", "3",
                  "--size", "32")
        self.glia("split", "--data", self.path("slices"), "--out", self.path("split"),
                  "--val", "0.5")
        self.ids = sorted(name[:-len("_img.npy")] for _, _, names in os.walk(self.path("slices"))
                          for name in names if name.endswith("_img.npy"))
        self.images = {
            name[:-len("_img.npy")]: os.path.join(place, name)
            for place, _, names in os.walk(self.path("slices"))
            for name in names if name.endswith("_img.npy")}
        for name, flags in VARIANTS.items():
            self.glia("train", "--data", self.path("slices"), "--split", self.path("split"),
                      "--out", self.path(name), "--base-width", "8", "--depth", "2",
                      "--batch-size", "1", "--epochs", "1", *flags)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def checkpoint(self, name):
        return self.path(name, "best.safetensors")

    def glia(self, *arguments):
        found = subprocess.run([self.program, *arguments], capture_output=True, text=True)
        assert found.returncode == 0, f"glia {' '.join(arguments)}:\n{found.stdout}{found.stderr}"

    def predict(self, checkpoint, out, images="slices", ids=None):
        """Probabilities of every image of a folder by id."""
        import numpy as np
        self.glia("predict", "--checkpoint", checkpoint, "--input", self.path(images), "--out",
                  self.path(out), "--npy", "--overwrite")
        return {i: np.load(self.path(out, f"{i}_probability.npy")) for i in ids or self.ids}
