#!/usr/bin/env python3
"""Glia's U-Net in PyTorch, with the weights that `glia export-weights` wrote.

    glia export-weights --checkpoint runs/first/best.safetensors --out weights.safetensors
    load_weights.py weights.safetensors slices/7_img.npy probability.npy

Reads an image [H, W, C] (H and W multiples of 2^depth), writes the tumour probabilities [H, W].
As a module it gives `load(path)`, `preprocess(image, info)`, and `save(path, net, info)`, whose file
`glia import-weights` reads. Needs torch and numpy.
"""
import json
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


DTYPES = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}  # those of this network's tensors


def make_norm(kind, channels):
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "group":
        return nn.GroupNorm(channels // 8 if channels % 8 == 0 else 1, channels)
    return nn.Identity()


class Block(nn.Module):
    def __init__(self, c, k, norm, dropout):
        super().__init__()
        self.conv1 = nn.Conv2d(c, k, 3, padding=1, bias=norm == "none")
        self.norm1 = make_norm(norm, k)
        self.conv2 = nn.Conv2d(k, k, 3, padding=1, bias=norm == "none")
        self.norm2 = make_norm(norm, k)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = torch.relu(self.norm1(self.conv1(x)))
        return self.dropout(torch.relu(self.norm2(self.conv2(x))))


class UNet(nn.Module):
    """`config` is the "model" of a checkpoint's metadata."""

    def __init__(self, config):
        super().__init__()
        c, base, depth = config["in_channels"], config["base_width"], config["depth"]
        norm, dropout = config["norm"], config.get("dropout", 0.0)
        widths = [base << level for level in range(depth + 1)]
        self.encoder = nn.ModuleList(
            Block(a, b, norm, dropout if b == widths[-2] else 0.0)
            for a, b in zip([c] + widths, widths[:-1]))
        self.bottleneck = Block(widths[-2], widths[-1], norm, dropout)
        self.decoder = nn.ModuleList(Block(2 * w, w, norm, 0.0) for w in widths[:-1])
        self.transpose = config["up"] == "transpose"
        for block, w in zip(self.decoder, widths):
            # Padding "same" of a 2x2 window adds a row below and a column to the right.
            block.up = (nn.ConvTranspose2d(2 * w, w, 2, stride=2) if self.transpose else
                        nn.Conv2d(2 * w, w, 2, padding="same"))
        self.narrow = nn.Conv2d(base, 2, 3, padding=1) if config["narrow_head"] else None
        self.head = nn.Conv2d(2 if self.narrow else base, 1, 1)

    def enlarge(self, block, x):
        if self.transpose:
            return block.up(x)
        return torch.relu(block.up(F.interpolate(x, scale_factor=2, mode="nearest")))

    def forward(self, x):
        skips = []
        for block in self.encoder:
            x = block(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for block, skip in zip(reversed(self.decoder), reversed(skips)):
            x = block(torch.cat((skip, self.enlarge(block, x)), 1))
        if self.narrow:
            x = torch.relu(self.narrow(x))
        return self.head(x)


def read(path):
    """Tensors and metadata of a safetensors file; safetensors.torch.load_file does the same."""
    with open(path, "rb") as file:
        data = file.read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, info in header.items():
        begin, end = (8 + length + offset for offset in info["data_offsets"])
        if info["dtype"] not in DTYPES:
            raise SystemExit(f"{path}: {name} is of type {info['dtype']}, expected "
                             f"{' or '.join(DTYPES)}")
        values = np.frombuffer(data[begin:end], DTYPES[info["dtype"]]).reshape(info["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors, metadata


def load(path):
    """The network, ready to predict, and what Glia noted of it."""
    tensors, metadata = read(path)
    info = json.loads(metadata["glia-weights"])
    net = UNet(info["model"])
    missing, unexpected = net.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise SystemExit(f"{path}: missing {missing}, unexpected {unexpected}")
    return net.eval(), info


def save(path, net, info=None):
    """Writes the network's tensors; safetensors.torch.save_file does the same."""
    kinds = {dtype: kind for kind, dtype in DTYPES.items()}
    header, raw, offset = {}, [], 0
    for name, tensor in net.state_dict().items():
        values = tensor.contiguous().numpy()
        raw.append(values.tobytes())
        header[name] = {"dtype": kinds[values.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(raw[-1])]}
        offset += len(raw[-1])
    header["__metadata__"] = {"format": "pt"}
    if info is not None:
        header["__metadata__"]["glia-weights"] = json.dumps(info)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(raw))


def preprocess(image, info):
    """An image [H, W, C] as the network takes it, [1, C, H, W]."""
    image = image.astype(np.float64)
    how = info["preprocess"]
    if how["normalize"] == "slice":
        deviation = np.maximum(image.std(axis=(0, 1)), 1e-6)
        image = (image - image.mean(axis=(0, 1))) / deviation
    elif how["normalize"] == "dataset":
        image = (image - np.array(how["mean"])) / np.array(how["std"])
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    net, info = load(sys.argv[1])
    with torch.no_grad():
        logits = net(preprocess(np.load(sys.argv[2]), info))
    np.save(sys.argv[3], torch.sigmoid(logits)[0, 0].numpy())


if __name__ == "__main__":
    main()
