#!/usr/bin/env python3
"""Parity with PyTorch: the same weights, the same batch, three Adam steps.

Usage: compare.py DUMP_PROGRAM

Runs the program, builds the same network in PyTorch from its initial weights, in float64 so that
all difference is ours, and compares the loss of each step, the gradients of the first, and the
weights and running statistics after the last. Exits with 77 (skipped) where torch is missing.
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as error:
    print(f"skipped: PyTorch parity needs torch and numpy for {sys.executable} ({error})")
    sys.exit(77)

# Relative errors of float32 against float64, in the 2-norm of each tensor.
LOSS_BOUND = 1e-5
GRADIENT_BOUND = 2e-4
# Adam divides by the gradient's own size, so a gradient that is all rounding error moves its weight
# by a full step either way: weights are compared by how far they moved.
STEP_BOUND = 2e-2
STATISTICS_BOUND = 1e-4


def read_safetensors(path):
    data = open(path, "rb").read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, info in header.items():
        begin, end = info["data_offsets"]
        raw = np.frombuffer(data[8 + length + begin:8 + length + end], dtype="<f4")
        tensors[name] = torch.tensor(raw.reshape(info["shape"]).astype(np.float64))
    return tensors, metadata


class Block(nn.Module):
    def __init__(self, c, k):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(c, k, 3, 1, 1, bias=False), nn.BatchNorm2d(k)
        self.conv2, self.norm2 = nn.Conv2d(k, k, 3, 1, 1, bias=False), nn.BatchNorm2d(k)

    def forward(self, x):
        x = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(x)))


class UNet(nn.Module):
    def __init__(self, c, base, depth):
        super().__init__()
        widths = [base << level for level in range(depth + 1)]
        self.encoder = nn.ModuleList(Block(a, b) for a, b in zip([c] + widths, widths[:-1]))
        self.bottleneck = Block(widths[-2], widths[-1])
        self.decoder = nn.ModuleList(Block(2 * w, w) for w in widths[:-1])
        for block, w in zip(self.decoder, widths):
            block.up = nn.ConvTranspose2d(2 * w, w, 2, 2)
        self.head = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        skips = []
        for block in self.encoder:
            x = block(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for block, skip in zip(reversed(self.decoder), reversed(skips)):
            x = block(torch.cat((skip, block.up(x)), 1))
        return self.head(x)


def to_torch(tensor):
    """Weights are [K,R,S,C] here and [K,C,R,S] there."""
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor


def error(found, expected, scale):
    return ((found - expected).norm() / scale.norm().clamp_min(1e-30)).item()


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "dump.safetensors")
        subprocess.run([sys.argv[1], path], check=True)
        tensors, metadata = read_safetensors(path)
    config, losses = json.loads(metadata["config"]), json.loads(metadata["losses"])

    def group(prefix):
        return {name[len(prefix):]: to_torch(t) for name, t in tensors.items()
                if name.startswith(prefix)}

    initial, gradients, final = group("initial."), group("gradient."), group("final.")
    net = UNet(config["in_channels"], config["base_width"], config["depth"]).double()
    missing, unexpected = net.load_state_dict(initial, strict=False)
    assert not unexpected and all(n.endswith("num_batches_tracked") for n in missing), (
        missing, unexpected)
    x, t = to_torch(tensors["images"]), to_torch(tensors["target"])
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)

    rows = []
    for step, found in enumerate(losses):
        adam.zero_grad()
        p = torch.sigmoid(net(x))
        intersection = (p * t).sum()
        loss = -torch.log((intersection + 1) / ((p + t).sum() - intersection + 1))
        rows.append((f"loss {step + 1}", abs(found - loss.item()) / abs(loss.item()), LOSS_BOUND))
        loss.backward()
        if step == 0:
            largest = max(p.grad.norm() for p in net.parameters())
            for name, parameter in net.named_parameters():
                rows.append((f"gradient {name}",
                             error(gradients[name], parameter.grad, parameter.grad),
                             GRADIENT_BOUND))
                assert parameter.grad.norm() > 1e-6 * largest, f"{name}: no gradient to compare"
        adam.step()
    for name, value in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        running = "running" in name
        moved = value if running else value - initial[name]
        rows.append((f"final {name}", error(final[name], value, moved),
                     STATISTICS_BOUND if running else STEP_BOUND))

    failed = [row for row in rows if not row[1] <= row[2]]
    for kind in ("loss", "gradient", "final"):
        name, worst, bound = max((r for r in rows if r[0].startswith(kind)),
                                 key=lambda r: r[1] / r[2])
        print(f"worst {kind}: {name}: {worst:.2e} of at most {bound:.0e}")
    for name, found, bound in failed:
        print(f"FAILED {name}: relative error {found:.2e}, bound {bound:.0e}")
    print(f"{len(rows)} compared with torch {torch.__version__}, {len(failed)} failed")
    return 1 if failed else 0


sys.exit(main())
