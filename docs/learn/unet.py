#!/usr/bin/env python3
"""One training step of Glia's U-Net in NumPy: forward, -log IoU, backward, Adam. No autograd.

Each operation stands beside its backward pass. Images are [N, H, W, C], weights of convolutions
[K, R, S, C] (output channels, window, input channels). All arithmetic is float64. For any array t,
dt is the gradient of the loss in t and has t's shape.

Usage: unet.py [--figures] PROGRAM_OR_FILE
PROGRAM is build/tests/parity_dump, which trains a small U-Net with Glia and writes what it computed;
FILE is what it wrote. Its first step is done here, from the same weights on the same batch, and the
loss, every gradient, what Adam makes of it and the running statistics are compared. Exits with 1 where one
differs. --figures prints minimum, maximum and sum of each gradient.
"""
import json, os, subprocess, sys, tempfile

try:
    import numpy as np
except ImportError:
    print(f"skipped: NumPy is missing for {sys.executable}: install python3-numpy")
    sys.exit(77)

BOUND = 1e-5  # of the largest element of the tensor; Glia computes in float32


def conv(x, w, b=0):
    """y[n,p,q,k] = b[k] + sum over r,s,c of x[n, p+r-pad, q+s-pad, c] * w[k,r,s,c]; size is kept."""
    R, S, pad = w.shape[1], w.shape[2], w.shape[1] // 2
    H, W = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    y = 0
    for r in range(R):
        for s in range(S):
            y = y + padded[:, r:r + H, s:s + W] @ w[:, r, s].T
    return y + b


def conv_backward(dy, x, w):
    """-> dx, dw, db. Window position (r, s) brought x into y; the same position brings dy back."""
    R, S, pad = w.shape[1], w.shape[2], w.shape[1] // 2
    H, W = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for r in range(R):
        for s in range(S):
            dpadded[:, r:r + H, s:s + W] += dy @ w[:, r, s]
            dw[:, r, s] = np.einsum("npqk,npqc->kc", dy, padded[:, r:r + H, s:s + W])
    return dpadded[:, pad:pad + H, pad:pad + W], dw, dy.sum((0, 1, 2))


def up(x, w, b):
    """2x2 transposed convolution of stride 2: each pixel of x [N,P,Q,K] stamps 2x2 pixels of y."""
    N, P, Q, _ = x.shape
    y = np.zeros((N, 2 * P, 2 * Q, w.shape[3]))
    for r in range(2):
        for s in range(2):
            y[:, r::2, s::2] = x @ w[:, r, s] + b
    return y


def up_backward(dy, x, w):
    """-> dx, dw, db. The stamp read backward is a convolution of stride 2."""
    dx, dw = 0, np.zeros_like(w)
    for r in range(2):
        for s in range(2):
            dx = dx + dy[:, r::2, s::2] @ w[:, r, s].T
            dw[:, r, s] = np.einsum("npqk,npqc->kc", x, dy[:, r::2, s::2])
    return dx, dw, dy.sum((0, 1, 2))


def norm(x, gamma, beta, epsilon=1e-5):
    """Batch norm in training: -> y and what backward needs, the normalised x and 1 / deviation."""
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    invstd = 1 / np.sqrt(var + epsilon)
    xhat = (x - mean) * invstd
    return gamma * xhat + beta, (xhat, invstd, mean, var)


def norm_backward(dy, gamma, saved):
    """-> dx, dgamma, dbeta. x moves y directly, through the mean and through the variance."""
    xhat, invstd = saved[:2]
    M = dy[..., 0].size
    dgamma, dbeta = (dy * xhat).sum((0, 1, 2)), dy.sum((0, 1, 2))
    return gamma * invstd * (dy - dbeta / M - xhat * dgamma / M), dgamma, dbeta


def relu(x):
    return np.maximum(x, 0)


def relu_backward(dy, y):
    return np.where(y > 0, dy, 0)


def pool(x):
    """2x2 maximum. -> y and the place of each maximum, 0 to 3 row by row; the first wins a tie."""
    N, H, W, C = x.shape
    windows = x.reshape(N, H // 2, 2, W // 2, 2, C).transpose(0, 1, 3, 5, 2, 4).reshape(
        N, H // 2, W // 2, C, 4)
    return windows.max(-1), windows.argmax(-1)


def pool_backward(dy, index):
    dx = np.zeros((dy.shape[0], 2 * dy.shape[1], 2 * dy.shape[2], dy.shape[3]))
    for place in range(4):
        dx[:, place // 2::2, place % 2::2] = np.where(index == place, dy, 0)
    return dx


def iou_loss(z, t, smooth=1):
    """-log of (I + smooth) / (U + smooth) over the whole batch. -> loss and what backward needs."""
    p = 1 / (1 + np.exp(-z))
    I, U = (p * t).sum(), (p + t - p * t).sum()
    return -np.log((I + smooth) / (U + smooth)), (p, I, U)


def iou_loss_backward(t, saved, smooth=1):
    p, I, U = saved
    return p * (1 - p) * ((1 - t) / (U + smooth) - t / (I + smooth))


def adam(w, g, m, v, step, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """In place; step counts from 1."""
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g * g - v)
    w -= rate * (m / (1 - beta1**step)) / (np.sqrt(v / (1 - beta2**step)) + epsilon)


def block(x, w, name, running):
    """Twice convolution, norm, ReLU. -> y and what backward needs."""
    saved = []
    for i in "12":
        z = conv(x, w[f"{name}.conv{i}.weight"])
        n, stats = norm(z, w[f"{name}.norm{i}.weight"], w[f"{name}.norm{i}.bias"])
        y = relu(n)
        saved.append((x, stats, y))
        M = z[..., 0].size
        for key, value in (("mean", stats[2]), ("var", stats[3] * M / (M - 1))):
            old = running[f"{name}.norm{i}.running_{key}"]
            old += 0.1 * (value - old)
        x = y
    return x, saved


def block_backward(dy, w, g, name, saved):
    """-> dx; the gradients of the block's weights go into g."""
    for i in "21":
        x, stats, y = saved[int(i) - 1]
        dn = relu_backward(dy, y)
        dz, g[f"{name}.norm{i}.weight"], g[f"{name}.norm{i}.bias"] = norm_backward(
            dn, w[f"{name}.norm{i}.weight"], stats)
        dy, g[f"{name}.conv{i}.weight"], _ = conv_backward(dz, x, w[f"{name}.conv{i}.weight"])
    return dy


def forward_backward(x, t, w, running, depth):
    """-> loss and the gradients of all weights, by name."""
    skips, indices, saved, g = [], [], {}, {}
    for level in range(depth):                                   # down
        x, saved["e", level] = block(x, w, f"encoder.{level}", running)
        skips.append(x)
        x, index = pool(x)
        indices.append(index)
    x, saved["b"] = block(x, w, "bottleneck", running)
    for level in reversed(range(depth)):                         # up
        name = f"decoder.{level}"
        saved["u", level] = x
        risen = up(x, w[name + ".up.weight"], w[name + ".up.bias"])
        x, saved["d", level] = block(np.concatenate((skips[level], risen), 3), w, name, running)
    z = conv(x, w["head.weight"], w["head.bias"])
    loss, sums = iou_loss(z, t)

    dz = iou_loss_backward(t, sums)
    dx, g["head.weight"], g["head.bias"] = conv_backward(dz, x, w["head.weight"])
    dskips = []
    for level in range(depth):                                   # up, backward
        name = f"decoder.{level}"
        dboth = block_backward(dx, w, g, name, saved["d", level])
        channels = skips[level].shape[3]
        dskips.append(dboth[..., :channels])
        dx, g[name + ".up.weight"], g[name + ".up.bias"] = up_backward(
            dboth[..., channels:], saved["u", level], w[name + ".up.weight"])
    dx = block_backward(dx, w, g, "bottleneck", saved["b"])
    for level in reversed(range(depth)):                         # down, backward
        dx = pool_backward(dx, indices[level]) + dskips[level]   # the skip: two gradients meet
        dx = block_backward(dx, w, g, f"encoder.{level}", saved["e", level])
    return loss, g


def read(path):
    """A safetensors file of float32 -> arrays of float64 by name, and its metadata."""
    data = open(path, "rb").read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__")
    return {name: np.frombuffer(data[start:][slice(*i["data_offsets"])], "<f4").reshape(
        i["shape"]).astype(float) for name, i in header.items()}, metadata


def compare(path, figures):
    tensors, metadata = read(path)
    depth = json.loads(metadata["config"])["depth"]

    def part(prefix):
        return {n[len(prefix):]: t for n, t in tensors.items() if n.startswith(prefix)}

    running = {n: t for n, t in part("initial.").items() if "running" in n}
    w = {n: t for n, t in part("initial.").items() if "running" not in n}
    expected = json.loads(metadata["losses"])[0]
    loss, g = forward_backward(tensors["images"], tensors["target"], w, running, depth)
    # Adam divides a gradient by its own size, so one that is nearly 0 moves its weight by what rounding
    # left of it. The gradients are compared by themselves; Adam is given Glia's, so that it is judged alone.
    for name in w:
        theirs = tensors["gradient." + name]
        adam(w[name], theirs, np.zeros_like(theirs), np.zeros_like(theirs), step=1)

    rows = [("loss", "of the first step", abs(loss / expected - 1))]
    for kind, found, prefix in (("gradient", g, "gradient."), ("weights", w, "first."),
                                ("statistics", running, "first.")):
        for name, value in found.items():
            theirs = tensors[prefix + name]
            rows.append((kind, name, abs(value - theirs).max() / abs(theirs).max()))
            if figures and kind == "gradient":
                print(f"{name:24} {value.min():12.4e} {value.max():12.4e} {value.sum():12.4e}")
    return rows


def main(arguments):
    figures = "--figures" in arguments
    paths = [a for a in arguments if a != "--figures"]
    if len(paths) != 1:
        sys.exit("usage: unet.py [--figures] PROGRAM_OR_FILE")
    with tempfile.TemporaryDirectory() as folder:
        path = paths[0]
        if os.access(path, os.X_OK):
            subprocess.run([path, folder + "/dump.safetensors"], check=True)
            path = folder + "/dump.safetensors"
        rows = compare(path, figures)
    failed = [row for row in rows if not row[2] <= BOUND]
    for kind in ("loss", "gradient", "weights", "statistics"):
        of_kind = [row for row in rows if row[0] == kind]
        right = [row for row in of_kind if row[2] <= BOUND]
        print(f"{kind:10} {len(right):2} of {len(of_kind):2} as Glia's, within {BOUND:.0e}")
    for kind, name, error in failed:
        print(f"DIFFERS {kind} {name}: {error:.2e} of the largest element, at most {BOUND:.0e}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
