#!/usr/bin/env python3
"""Takes exported weights through PyTorch, with the script of the docs, and back. Usage:
run_torch.py GLIA. Exits with 77 (skipped) where torch is missing."""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError as error:
    print(f"skipped: PyTorch's side needs torch and numpy for {sys.executable} ({error})")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "..", "..", "docs", "pytorch", "load_weights.py")
sys.path[:0] = [HERE, os.path.dirname(SCRIPT)]
import load_weights
from networks import VARIANTS, Networks

BOUND = 2e-5  # of a probability, float32 on both sides


def main():
    with tempfile.TemporaryDirectory() as folder:
        networks = Networks(sys.argv[1], folder)
        for name in VARIANTS:
            expected = networks.predict(networks.checkpoint(name), f"out-{name}")
            weights, found = networks.path(f"{name}.safetensors"), networks.path("found.npy")
            networks.glia("export-weights", "--checkpoint", networks.checkpoint(name), "--out",
                          weights)
            worst = 0.0
            for i in networks.ids:
                subprocess.run([sys.executable, SCRIPT, weights, networks.images[i], found],
                               check=True)
                worst = max(worst, float(np.abs(np.load(found) - expected[i]).max()))
            print(f"{name}: largest difference {worst:.1e} of at most {BOUND:.0e}")
            assert worst <= BOUND, name

            # The script reads what it wrote, with what PyTorch adds to the batch norms.
            net, info = load_weights.load(weights)
            load_weights.save(networks.path("again.safetensors"), net, info)
            again, notes = load_weights.load(networks.path("again.safetensors"))
            assert notes == info
            theirs = again.state_dict()
            for tensor, values in net.state_dict().items():
                assert torch.equal(values, theirs[tensor]), f"{name}: {tensor} changed"
            if name.startswith("batch"):
                assert any(tensor.endswith("num_batches_tracked") for tensor in theirs)

            # PyTorch moves the weights, Glia takes them back; with Glia's notes and without.
            torch.manual_seed(0)
            with torch.no_grad():
                for parameter in net.parameters():
                    parameter += 0.05 * torch.randn_like(parameter)
                for tensor, values in net.named_buffers():
                    if tensor.endswith("running_mean"):
                        values += 0.05 * torch.randn_like(values)
                    if tensor.endswith("running_var"):
                        values *= 1 + 0.1 * torch.rand_like(values)
                moved = {i: torch.sigmoid(net(load_weights.preprocess(
                    np.load(networks.images[i]), info)))[0, 0].numpy() for i in networks.ids}
            changed = networks.path("changed.safetensors")
            imported = networks.path(f"{name}-imported.safetensors")
            for notes, flags in ((info, []), (None, ["--like", networks.checkpoint(name)])):
                load_weights.save(changed, net, notes)
                networks.glia("import-weights", "--weights", changed, "--out", imported,
                              "--overwrite", *flags)
                back = networks.predict(imported, f"back-{name}")
                worst = max(float(np.abs(back[i] - moved[i]).max()) for i in networks.ids)
                distance = max(float(np.abs(back[i] - expected[i]).max()) for i in networks.ids)
                print(f"{name}: back again {worst:.1e} of at most {BOUND:.0e}")
                assert worst <= BOUND, name
                assert distance > 1e-3, f"{name}: the weights did not move, nothing is tested"
    print(f"torch {torch.__version__}")


main()
