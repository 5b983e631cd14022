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

BOUND = 2e-5  # of a probability, float32 on both sides
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
    print(f"onnxruntime {onnxruntime.__version__}, onnx.checker "
          f"{'agrees' if checked else 'is not installed'}")


main()
