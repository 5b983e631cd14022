#!/usr/bin/env python3
"""Runs exported ONNX files and compares them with Glia. Usage: run_onnx.py GLIA

Where the package onnxruntime is not among the interpreter's, the folder in GLIA_ONNX_PACKAGES is
searched too (pip install --target FOLDER onnxruntime). Exits with 77 (skipped) where it is missing.
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ.get("GLIA_ONNX_PACKAGES", os.path.dirname(__file__)))
try:
    import numpy as np
    import onnxruntime
except ImportError as error:
    print(f"skipped: running ONNX files needs onnxruntime for {sys.executable} ({error})")
    sys.exit(77)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from networks import VARIANTS, Networks

BOUND = 1e-5  # of a probability, float32 on both sides
# In a process of its own: Debian's onnx and PyPI's onnxruntime want different protobufs.
CHECK = """
import sys
try:
    import onnx
except ImportError:
    sys.exit(77)
onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)
"""


def check(file):
    """Asks ONNX's own checker; says whether it was there."""
    found = subprocess.run([sys.executable, "-c", CHECK, file]).returncode
    assert found in (0, 77), f"{file}: refused by onnx.checker"
    return found == 0


def odd_images(by_slice):
    """Images on which padding and normalising go wrong first, [H, W, 3] by id. Values far away only
    where each slice is normalised `by_slice`: elsewhere the network itself gets them."""
    random = np.random.default_rng(0)

    def image(height, width, last=None):
        values = random.normal(size=(height, width, 3)).astype(np.float32)
        if last is not None:
            values[..., 2] = last
        return values

    images = {f"{h}x{w}": image(h, w)
              for h, w in ((1, 1), (1, 6), (3, 2), (33, 31), (30, 32), (255, 240))}
    # Much of one value, as around a head: what adds up in float32 is off by more than with noise.
    y, x = np.mgrid[:240, :240]
    images["head"] = image(240, 240) * (np.hypot(y - 120, x - 120) < 60)[..., None]
    images["constant-padded"] = image(239, 241, 0.1)
    images["all-constant"] = np.full((37, 50, 3), 0.1, np.float32)
    if not by_slice:
        return images
    for number, constant in enumerate((0.0, 0.1, -1234.5678, 16777215.0, 1e-30, 1e30)):
        images[f"constant{number}"] = image(240, 240, constant)
    images["nearly-constant"] = image(63, 64, 1000)
    images["nearly-constant"][5, 7, 2] = np.nextafter(np.float32(1000), np.float32(2000))
    images["far-away"] = image(64, 62) + np.float32(100000)
    return images


def compare_odd(networks, name, session):
    """The largest difference over `odd_images`."""
    images = odd_images("slice" in VARIANTS[name])
    folder = f"odd-{name}"
    os.makedirs(networks.path(folder))
    for i, image in images.items():
        np.save(networks.path(folder, f"{i}_img.npy"), image)
    expected = networks.predict(networks.checkpoint(name), f"out-{folder}", folder, images)
    worst, where = 0.0, None
    for i, image in images.items():
        (found,) = session.run(["probability"], {"image": image.transpose(2, 0, 1)[None]})
        assert found.shape == (1, 1, *image.shape[:2]), (i, found.shape)
        difference = float(np.abs(found[0, 0] - expected[i]).max())
        # Not `>`: a NaN is a difference too.
        if not difference <= worst:
            worst, where = difference, i
    print(f"{name}: largest difference on odd images {worst:.1e} ({where})")
    return worst


def main():
    with tempfile.TemporaryDirectory() as folder:
        networks = Networks(sys.argv[1], folder)
        for name in VARIANTS:
            expected = networks.predict(networks.checkpoint(name), f"out-{name}")
            file = networks.path(f"{name}.onnx")
            networks.glia("export", "--checkpoint", networks.checkpoint(name), "--onnx", file)
            checked = check(file)
            session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
            assert session.get_modelmeta().producer_name == "glia"
            worst = 0.0
            images = [np.load(networks.images[i]).transpose(2, 0, 1) for i in networks.ids]
            # One by one and as a batch: the number of images is open.
            batches = [(i, image[None]) for i, image in enumerate(images)] + [(0, np.stack(images))]
            for first, batch in batches:
                logits, found = session.run(None, {"image": batch.astype(np.float32)})
                assert found.shape == (len(batch), 1, *batch.shape[2:]), found.shape
                assert np.allclose(found, 1 / (1 + np.exp(-logits)), atol=1e-6)
                for n in range(len(batch)):
                    ours = expected[networks.ids[first + n]]
                    worst = max(worst, float(np.abs(found[n, 0] - ours).max()))
            spread = max(float(p.std()) for p in expected.values())
            assert spread > 1e-3, f"{name}: the probabilities are all alike, nothing is tested"
            print(f"{name}: largest difference {worst:.1e} of at most {BOUND:.0e}")
            assert worst <= BOUND, name
            assert compare_odd(networks, name, session) <= BOUND, name
    print(f"onnxruntime {onnxruntime.__version__}, onnx.checker "
          f"{'agrees' if checked else 'is not installed'}")


main()
