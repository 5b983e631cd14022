#!/usr/bin/env python3
"""The same U-Net in PyTorch, which the GPU kit asks for its times and its losses.

A line of JSON on standard input is answered by a line on standard output, until the input ends:
  {"do": "hello"}   versions and device
  {"do": "step"}    seconds of whole training steps on a random batch (Adam, -log IoU)
  {"do": "infer"}   seconds of the probabilities of a random batch
  {"do": "losses"}  the losses of the first steps on slices, from the weights that Glia started with
A question that cannot be answered gets {"problem": why}. The network is that of
docs/pytorch/load_weights.py, which lies beside this file in a packed kit.
"""
import json
import os
import resource
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "docs", "pytorch")]


def import_all():
    global np, torch, load_weights
    import numpy as np
    import torch
    import load_weights


def say(answer):
    print(json.dumps(answer), flush=True)


def iou_loss(logits, target):
    p = torch.sigmoid(logits.float())
    intersection = (p * target).sum()
    union = (p + target).sum() - intersection
    return -torch.log((intersection + 1) / (union + 1))


def device_of(question):
    if question["device"] == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise RuntimeError("PyTorch finds no GPU")
    return torch.device("cuda")


def set_precision(name):
    tf32 = name != "fp32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32


class Training:
    """A network with its optimizer; `step` is a whole training step."""

    def __init__(self, net, device, question):
        self.device, self.bf16 = device, question.get("precision") == "bf16"
        set_precision(question.get("precision", "fp32"))
        self.layout = (torch.channels_last if question.get("channels_last")
                       else torch.contiguous_format)
        self.net = net.to(device).to(memory_format=self.layout).train()
        self.run = torch.compile(self.net) if question.get("compile") else self.net
        graph = question.get("graph", False)
        fast = {"capturable": True} if graph else {"fused": True}
        self.adam = torch.optim.Adam(self.net.parameters(), lr=1e-3,
                                     **(fast if device.type == "cuda" else {}))
        self.keep_grads = graph

    def step(self, x, target):
        self.adam.zero_grad(set_to_none=not self.keep_grads)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16):
            logits = self.run(x)
        loss = iou_loss(logits, target)
        loss.backward()
        self.adam.step()
        return loss

    def place(self, images, masks):
        return (images.to(self.device).contiguous(memory_format=self.layout),
                masks.to(self.device).contiguous(memory_format=self.layout))


def config_of(question, channels=3):
    return {"in_channels": channels, "base_width": question["base_width"],
            "depth": question.get("depth", 4), "norm": "batch", "up": "transpose",
            "narrow_head": False}


def captured(run):
    """`run` as one CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def timed(run, device):
    """Seconds of one call: by the GPU's own events, or the clock of the host."""
    if device.type == "cpu":
        start = time.perf_counter()
        run()
        return time.perf_counter() - start
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    run()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 1000


def peak_bytes(device):
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def begin(question):
    """The device, as for a first question."""
    device = device_of(question)
    torch.manual_seed(0)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    return device


def times(run, device, question):
    if question.get("graph"):
        run = captured(run)
    for _ in range(question["warmup"]):
        run()
    seconds = [timed(run, device) for _ in range(question["steps"])]
    return {"seconds": seconds, "peak_bytes": peak_bytes(device)}


def step(question):
    device = begin(question)
    training = Training(load_weights.UNet(config_of(question)), device, question)
    n, size = question["batch_size"], question["size"]
    x, target = training.place(torch.randn(n, 3, size, size),
                               (torch.rand(n, 1, size, size) > 0.9).float())
    return times(lambda: training.step(x, target), device, question)


def infer(question):
    device = begin(question)
    bf16 = question.get("precision") == "bf16"
    set_precision(question.get("precision", "fp32"))
    layout = (torch.channels_last if question.get("channels_last") else torch.contiguous_format)
    net = load_weights.UNet(config_of(question)).to(device).to(memory_format=layout).eval()
    if bf16:  # once, and not in every pass as autocast would
        net = net.bfloat16()
    run = torch.compile(net) if question.get("compile") else net
    n, size = question["batch_size"], question["size"]
    x = torch.randn(n, 3, size, size).to(device).contiguous(memory_format=layout)

    def probabilities():
        return torch.sigmoid(run(x.bfloat16() if bf16 else x).float())

    with torch.inference_mode():
        return times(probabilities, device, question)


def losses(question):
    device = device_of(question)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
    net, info = load_weights.load(question["weights"])
    training = Training(net, device, question)
    places = {name[:-len("_img.npy")]: folder for folder, _, names in os.walk(question["data"])
              for name in names if name.endswith("_img.npy")}
    ids = sorted(places, key=lambda i: (len(i), i))
    found = []
    for first in range(0, question["steps"] * question["batch_size"], question["batch_size"]):
        batch = [ids[(first + i) % len(ids)] for i in range(question["batch_size"])]
        read = lambda i, kind: np.load(os.path.join(places[i], f"{i}_{kind}.npy"))
        images = torch.cat([load_weights.preprocess(read(i, "img"), info) for i in batch])
        masks = torch.from_numpy(np.stack([read(i, "seg").reshape(images.shape[2:])
                                           for i in batch]).astype(np.float32))[:, None]
        found.append(training.step(*training.place(images, masks)).item())
    return {"losses": found}


def hello(_):
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return {"torch": torch.__version__, "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(), "gpu": gpu, "python": sys.executable}


def main():
    try:
        import_all()
    except ImportError as error:
        problem = f"{error} ({sys.executable})"
        for _ in sys.stdin:
            say({"problem": problem})
        return
    answers = {"hello": hello, "step": step, "infer": infer, "losses": losses}
    for line in sys.stdin:
        question = json.loads(line)
        try:
            say(answers[question["do"]](question))
        except Exception as error:  # one that fails must not end the others
            say({"problem": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"})


main()
