#!/usr/bin/env python3
"""PyTorch's operators as a peer of the rows of `glia bench --peer torch`, which runs this.

A line of JSON on standard input is answered by a line on standard output, until the input ends:
  {"do": "hello", ...}   who answers: its version, its device
  {"do": "row", ...}     takes a kernel's operands from files, computes its results into the same
                         files, and says by what operator and how many runs make a sample
  {"do": "sample"}       seconds of a run of that row, and of one with cold caches
What cannot be answered gets {"error": why}. docs/benchmarks.md ("Beside PyTorch") has the fields;
another program that answers them is a peer too.

Operands lie in memory as Glia's do: images [N,H,W,C], weights [K,R,S,C], `pitch` elements from a
pixel to the next. Here they become dense tensors, channels last ("nhwc") or first ("nchw").
"""
import json
import math
import mmap
import os
import sys
import time

KERNELS = {}


class Unsupported(Exception):
    """What PyTorch has no operator for."""


def kernel(name, operator):
    """The decorated function makes, from a row, a function that runs it once and gives its results
    by the names of Glia's operands; of results that it does not give nothing is compared."""
    def add(make):
        KERNELS[name] = (make, operator)
        return make
    return add


DTYPES = {"f32": "float32", "f64": "float64", "bf16": "bfloat16", "u8": "uint8", "i64": "int64"}


class Row:
    """The operands of a kernel as tensors, `row.x`, and its other arguments, `row.settings`."""

    def __init__(self, question, device, layout):
        self.settings, self.device, self.layout = question["settings"], device, layout
        self.memory = {o["name"]: self.map(o) for o in question["operands"]}
        self.roles = {o["name"]: o["role"] for o in question["operands"]}
        self.fresh()

    @staticmethod
    def map(operand):
        """The operand where it lies, in Glia's order of dimensions."""
        with open(operand["file"], "r+b") as file:
            memory = mmap.mmap(file.fileno(), 0)
        shape, strides = operand["shape"], [1]
        for extent in ([operand["pitch"]] if len(shape) > 1 else []) + shape[-2:0:-1]:
            strides.insert(0, extent * strides[0])
        flat = torch.frombuffer(memory, dtype=getattr(torch, DTYPES[operand["dtype"]]))
        return flat.as_strided(shape, strides[:len(shape)])

    def fresh(self):
        """The first contents, which no run changes, on the device."""
        for name, memory in self.memory.items():
            tensor = memory.permute(0, 3, 1, 2) if memory.dim() == 4 else memory
            image = tensor.dim() == 4 and self.layout == "nhwc"
            form = torch.channels_last if image else torch.contiguous_format
            setattr(self, name, tensor.to(self.device, copy=True).contiguous(memory_format=form))

    def has(self, name):
        return name in self.memory

    def optional(self, name):
        return getattr(self, name) if self.has(name) else None

    def accumulates(self, name):
        return self.roles.get(name) == "add"

    def keep(self, results):
        """Puts results where Glia reads them."""
        for name, tensor in results.items():
            memory = self.memory[name]
            tensor = tensor.permute(0, 2, 3, 1) if tensor.dim() == 4 else tensor
            memory.copy_(tensor.reshape(memory.shape))


def with_gradients_added(row, run):
    """As autograd does it: a gradient that is added to another is an operator more."""
    names = {name for name in row.memory if row.accumulates(name)}
    if not names:
        return run

    def added():
        results = run()
        for name in names & results.keys():
            results[name] = getattr(row, name).add_(results[name].reshape(getattr(row, name).shape))
        return results
    return added


def padding(row, small, large, window):
    """(padding, output_padding) of a convolution from images of `large` to those of `small`."""
    s = row.settings
    found = []
    for axis, (stride, pad) in enumerate([(s["stride_h"], s["pad_top"]),
                                          (s["stride_w"], s["pad_left"])]):
        stride, pad = int(stride), int(pad)
        extent = large[2 + axis] + 2 * pad - window[2 + axis]
        if extent // stride + 1 != small[2 + axis]:
            raise Unsupported("PyTorch's convolutions have no padding of one side alone")
        found.append((stride, pad, extent % stride))
    return [list(values) for values in zip(*found)]


@kernel("conv2d_forward", "conv2d")
def conv2d_forward(row):
    stride, pad, _ = padding(row, row.y.shape, row.x.shape, row.w.shape)
    b = row.optional("b")
    return lambda: {"y": torch.conv2d(row.x, row.w, b, stride, pad)}


def convolution_backward(row, x, w, geometry, transposed, wanted):
    stride, pad, output_padding = geometry
    bias = [row.db.shape[0]] if row.has("db") else None
    mask = [name in wanted and row.has(name) for name in ("dx", "dw", "db")]

    def run():
        found = torch.ops.aten.convolution_backward(
            row.dy, x, w, bias, stride, pad, [1, 1], transposed,
            output_padding if transposed else [0, 0], 1, mask)
        return {name: value for name, value, asked in zip(("dx", "dw", "db"), found, mask) if asked}
    return run


@kernel("conv2d_dgrad", "convolution_backward")
def conv2d_dgrad(row):
    geometry = padding(row, row.dy.shape, row.dx.shape, row.w.shape)
    x = torch.empty_like(row.dx)
    return convolution_backward(row, x, row.w, geometry, False, ["dx"])


@kernel("conv2d_wgrad", "convolution_backward")
def conv2d_wgrad(row):
    geometry = padding(row, row.dy.shape, row.x.shape, row.dw.shape)
    w = torch.empty_like(row.dw)
    return convolution_backward(row, row.x, w, geometry, False, ["dw", "db"])


@kernel("conv_transpose2d_forward", "conv_transpose2d")
def conv_transpose2d_forward(row):
    stride, pad, output_padding = padding(row, row.x.shape, row.y.shape, row.w.shape)
    b = row.optional("b")
    return lambda: {"y": torch.conv_transpose2d(row.x, row.w, b, stride, pad, output_padding)}


@kernel("conv_transpose2d_dgrad", "convolution_backward")
def conv_transpose2d_dgrad(row):
    geometry = padding(row, row.dx.shape, row.dy.shape, row.w.shape)
    x = torch.empty_like(row.dx)
    return convolution_backward(row, x, row.w, geometry, True, ["dx"])


@kernel("conv_transpose2d_wgrad", "convolution_backward")
def conv_transpose2d_wgrad(row):
    geometry = padding(row, row.x.shape, row.dy.shape, row.dw.shape)
    w = torch.empty_like(row.dw)
    return convolution_backward(row, row.x, w, geometry, True, ["dw", "db"])


@kernel("batch_norm_forward_train", "batch_norm")
def batch_norm_forward_train(row):
    s = row.settings
    return lambda: {"y": torch.batch_norm(row.x, row.gamma, row.beta, row.running_mean,
                                          row.running_var, True, s["momentum"], s["epsilon"], True),
                    "running_mean": row.running_mean, "running_var": row.running_var}


@kernel("batch_norm_forward_eval", "batch_norm")
def batch_norm_forward_eval(row):
    return lambda: {"y": torch.batch_norm(row.x, row.gamma, row.beta, row.running_mean,
                                          row.running_var, False, 0.0, row.settings["epsilon"],
                                          True)}


def batch_norm_backward(row, training):
    mask = [row.has("dx"), True, True]

    def run():
        dx, dgamma, dbeta = torch.ops.aten.native_batch_norm_backward(
            row.dy, row.x, row.gamma, row.optional("running_mean"), row.optional("running_var"),
            row.optional("mean"), row.optional("invstd"), training,
            row.settings.get("epsilon", 0.0), mask)
        found = {"dgamma": dgamma, "dbeta": dbeta}
        return {"dx": dx, **found} if mask[0] else found
    return run


@kernel("batch_norm_backward_train", "native_batch_norm_backward")
def batch_norm_backward_train(row):
    return batch_norm_backward(row, True)


@kernel("batch_norm_backward_eval", "native_batch_norm_backward")
def batch_norm_backward_eval(row):
    return batch_norm_backward(row, False)


@kernel("group_norm_forward", "native_group_norm")
def group_norm_forward(row):
    n, c, h, w = row.x.shape
    groups, epsilon = int(row.settings["groups"]), row.settings["epsilon"]

    def run():
        y, mean, invstd = torch.native_group_norm(row.x, row.gamma, row.beta, n, c, h * w, groups,
                                                  epsilon)
        return {"y": y, "mean": mean, "invstd": invstd}
    return run


@kernel("group_norm_backward", "native_group_norm_backward")
def group_norm_backward(row):
    n, c, h, w = row.x.shape
    mask = [row.has("dx"), True, True]

    def run():
        found = torch.ops.aten.native_group_norm_backward(
            row.dy, row.x, row.mean, row.invstd, row.gamma, n, c, h * w,
            int(row.settings["groups"]), mask)
        return {name: value for name, value, asked in zip(("dx", "dgamma", "dbeta"), found, mask)
                if asked}
    return run


@kernel("relu_forward", "relu")
def relu_forward(row):
    return lambda: {"y": torch.relu(row.x)}


@kernel("relu_backward", "threshold_backward")
def relu_backward(row):
    return lambda: {"dx": torch.ops.aten.threshold_backward(row.dy, row.y, 0)}


@kernel("sigmoid_forward", "sigmoid")
def sigmoid_forward(row):
    return lambda: {"y": torch.sigmoid(row.x)}


@kernel("sigmoid_backward", "sigmoid_backward")
def sigmoid_backward(row):
    return lambda: {"dx": torch.ops.aten.sigmoid_backward(row.dy, row.y)}


@kernel("dropout", "dropout, other random numbers")
def dropout(row):
    def run():
        y = torch.dropout(row.x, row.settings["p"], True)
        if row.accumulates("y"):
            row.y.add_(y)
        return {}
    return run


@kernel("add", "add")
def add(row):
    return lambda: {"y": torch.add(row.a, row.b)}


@kernel("mul", "mul")
def mul(row):
    return lambda: {"y": torch.mul(row.a, row.b)}


@kernel("scale", "mul")
def scale(row):
    alpha = row.settings["alpha"]
    return lambda: {"y": torch.mul(row.x, alpha).to(row.y.dtype)}


@kernel("fill", "fill_")
def fill(row):
    value = row.settings["alpha"]
    if row.has("scalar"):
        value = value * row.scalar[0]
    target = torch.empty_like(row.y)
    return lambda: {"y": target.fill_(value)}


@kernel("sum", "sum, mul")
def sum_(row):
    alpha = row.settings["alpha"]
    return lambda: {"y": (torch.sum(row.x) * alpha).reshape(1)}


@kernel("threshold", "gt, to")
def threshold(row):
    return lambda: {"mask": (row.x > row.settings["t"]).to(row.mask.dtype)}


@kernel("max_pool2d_forward", "max_pool2d_with_indices")
def max_pool2d_forward(row):
    window, stride = int(row.settings["window"]), int(row.settings["stride"])
    # Its index counts pixels of the image and ours those of the window: not compared.
    return lambda: {"y": torch.ops.aten.max_pool2d_with_indices(
        row.x, [window, window], [stride, stride])[0]}


@kernel("max_pool2d_backward", "max_pool2d_with_indices_backward")
def max_pool2d_backward(row):
    window, stride = int(row.settings["window"]), int(row.settings["stride"])
    place = row.index.to(torch.int64)
    if int(place.max()) >= window * window:
        raise Unsupported("a random place lies outside of so small a window")
    rows = torch.arange(place.shape[2], device=row.device)[:, None] * stride
    columns = torch.arange(place.shape[3], device=row.device) * stride
    where = (rows + place // window) * row.dx.shape[3] + columns + place % window
    form = torch.channels_last if row.layout == "nhwc" else torch.contiguous_format
    where = where.contiguous(memory_format=form)
    x = torch.empty_like(row.dx)
    return lambda: {"dx": torch.ops.aten.max_pool2d_with_indices_backward(
        row.dy, x, [window, window], [stride, stride], [0, 0], [1, 1], False, where)}


@kernel("upsample_nearest2d_forward", "upsample_nearest2d")
def upsample_nearest2d_forward(row):
    size = list(row.y.shape[2:])
    return lambda: {"y": torch.nn.functional.interpolate(row.x, size, mode="nearest")}


@kernel("upsample_nearest2d_backward", "upsample_nearest2d_backward")
def upsample_nearest2d_backward(row):
    return lambda: {"dx": torch.ops.aten.upsample_nearest2d_backward(
        row.dy, list(row.dy.shape[2:]), list(row.dx.shape))}


def region_loss(row, kind):
    """PyTorch has no operator for it; these are what its users write."""
    smooth, each = row.settings["smooth"], row.settings["region"] == 1
    over = tuple(range(1, 4)) if each else tuple(range(4))

    def loss(logits):
        p = torch.sigmoid(logits)
        both, sums = (p * row.target).sum(over), (p + row.target).sum(over)
        if kind == "iou":
            return -torch.log((both + smooth) / (sums - both + smooth)).mean()
        return (1 - (2 * both + smooth) / (sums + smooth)).mean()
    return loss


def gradient_of(loss, row, compared):
    """The backward pass by autograd, from a forward pass that is not timed."""
    with torch.enable_grad():
        logits = row.logits.detach().requires_grad_()
        value = loss(logits)

    def run():
        found = torch.autograd.grad(value, logits, row.dloss.reshape(value.shape),
                                    retain_graph=True)[0]
        if not compared and row.accumulates("dlogits"):
            row.dlogits.add_(found)
        return {"dlogits": found} if compared else {}
    return run


@kernel("iou_loss_forward", "several operators")
def iou_loss_forward(row):
    loss = region_loss(row, "iou")
    return lambda: {"loss": loss(row.logits).reshape(1)}


@kernel("dice_loss_forward", "several operators")
def dice_loss_forward(row):
    loss = region_loss(row, "dice")
    return lambda: {"loss": loss(row.logits).reshape(1)}


# Ours start from sums that the forward pass kept, and here these are random: not compared.
@kernel("iou_loss_backward", "autograd of several operators")
def iou_loss_backward(row):
    return gradient_of(region_loss(row, "iou"), row, False)


@kernel("dice_loss_backward", "autograd of several operators")
def dice_loss_backward(row):
    return gradient_of(region_loss(row, "dice"), row, False)


@kernel("bce_with_logits_forward", "binary_cross_entropy_with_logits")
def bce_with_logits_forward(row):
    return lambda: {"loss": torch.nn.functional.binary_cross_entropy_with_logits(
        row.logits, row.target).reshape(1)}


@kernel("bce_with_logits_backward", "autograd of binary_cross_entropy_with_logits")
def bce_with_logits_backward(row):
    loss = lambda z: torch.nn.functional.binary_cross_entropy_with_logits(z, row.target)
    return gradient_of(loss, row, True)


def optimizer(row, kind, moments, **more):
    """One of torch.optim over the flat buffer, whose state is set to the row's."""
    s, w = row.settings, torch.nn.Parameter(row.w)
    w.grad = row.g
    step, lr = s.get("step", 1), s["lr"]
    if row.has("progress"):
        step, lr = (float(value) for value in row.progress)
    if row.device.type == "cuda" and kind in (torch.optim.Adam, torch.optim.AdamW):
        more["fused"] = True
    optim = kind([w], lr=lr, weight_decay=s["weight_decay"], **more)
    where = row.device if more.get("fused") else "cpu"

    def run():
        # The same step again and again, so that the moments stay those of such a step.
        optim.state[w]["step"] = first.clone()
        optim.step()
        return {"w": w.data, **{ours: optim.state[w][theirs] for ours, theirs in moments.items()}}
    first = torch.tensor(float(step) - 1, device=where)
    for ours, theirs in moments.items():
        optim.state[w][theirs] = getattr(row, ours)
    return run


@kernel("adam_step", "torch.optim.Adam")
def adam_step(row):
    s = row.settings
    kind = torch.optim.AdamW if s["decoupled"] else torch.optim.Adam
    return optimizer(row, kind, {"m": "exp_avg", "v": "exp_avg_sq"},
                     betas=(s["beta1"], s["beta2"]), eps=s["epsilon"])


@kernel("sgd_step", "torch.optim.SGD")
def sgd_step(row):
    s = row.settings
    if s["momentum"] == 0:
        raise Unsupported("PyTorch's SGD without momentum keeps none, and ours does")
    return optimizer(row, torch.optim.SGD, {"m": "momentum_buffer"}, momentum=s["momentum"],
                     nesterov=bool(s["nesterov"]))


@kernel("rmsprop_step", "torch.optim.RMSprop")
def rmsprop_step(row):
    s = row.settings
    return optimizer(row, torch.optim.RMSprop, {"v": "square_avg"}, alpha=s["alpha"],
                     eps=s["epsilon"])


class Clock:
    """Seconds by the GPU's own events in its queue, or by the clock of the host."""

    def __init__(self, device):
        self.gpu = device.type == "cuda"

    def seconds(self, work):
        if not self.gpu:
            start = time.perf_counter()
            work()
            return time.perf_counter() - start
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end) / 1000


def set_precision(name):
    tf32 = name != "fp32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32


def same_bits(a, b):
    """Whether two runs gave the same; a NaN is the same as a NaN."""
    return all(torch.equal(torch.nan_to_num(a[name], nan=12345.0),
                           torch.nan_to_num(b[name], nan=12345.0)) for name in a)


class Peer:
    """Answers the questions about one device and layout."""

    def hello(self, question):
        name = question["device"]
        if name != "cpu" and not torch.cuda.is_available():
            raise RuntimeError("PyTorch finds no GPU")
        self.device, self.layout = torch.device(name), question["layout"]
        if name == "cpu":
            torch.set_num_threads(question["threads"])
        else:
            torch.backends.cudnn.benchmark = True
        set_precision(question["precision"])
        self.clock = Clock(self.device)
        flush = max(1, question["flush_bytes"] // 4)
        self.flush = torch.zeros(flush, device=self.device) if question["cold"] else None
        gpu = torch.cuda.get_device_name(self.device) if name != "cpu" else None
        return {"program": f"PyTorch {torch.__version__}", "gpu": gpu,
                "cudnn": torch.backends.cudnn.version() if gpu else None,
                "threads": torch.get_num_threads(), "python": sys.executable}

    def row(self, question):
        self.work = self.replay = None  # and the memory of the row before
        name = question["kernel"]
        if name not in KERNELS:
            raise Unsupported(f"PyTorch has no operator for {name}")
        make, operator = KERNELS[name]
        row = Row(question, self.device, self.layout)
        answer = {"operator": operator, "results": [], "captured": False, "capture_problem": ""}
        first = None
        if question["check"]:
            first = {n: t.detach().clone()
                     for n, t in with_gradients_added(row, make(row))().items()}
            row.fresh()
        self.work = with_gradients_added(row, make(row))
        again = self.work()
        if first is not None:
            answer["results"] = list(first)
            answer["deterministic"] = same_bits(first, again)
            row.keep(first)
        self.work()
        once = self.clock.seconds(self.work)
        repeats = math.ceil(question["shortest_sample"] / once) if once > 0 else 1000
        self.repeats = answer["repeats"] = min(max(repeats, 1), 1000)
        if self.clock.gpu and self.repeats > 1:
            self.capture(answer)
        return answer

    def run_repeats(self):
        for _ in range(self.repeats):
            self.work()

    def capture(self, answer):
        """All runs of a sample as one graph, so that launching them is in no figure."""
        try:
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                self.work()
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.run_repeats()
            graph.replay()
            self.replay, answer["captured"] = graph.replay, True
        except Exception as error:
            answer["capture_problem"] = one_line(error)

    def sample(self, _):
        self.work()  # another program has been in the caches
        warm = self.clock.seconds(self.replay or self.run_repeats) / self.repeats
        if self.flush is None:
            return {"warm": warm}
        self.flush.sum()  # reading leaves nothing that would have to be written back
        return {"warm": warm, "cold": self.clock.seconds(self.work)}


def one_line(error):
    text = str(error).strip().splitlines()
    if isinstance(error, Unsupported):
        return text[0]
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    global torch
    problem = None
    try:
        import torch
        torch.set_grad_enabled(False)
    except Exception as error:
        problem = f"found no PyTorch in {sys.executable} ({one_line(error)})"
    peer = Peer()
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if problem:
                raise Unsupported(problem)
            answer = getattr(peer, question["do"])(question)
        except Exception as error:  # one that fails must not end the others
            answer = {"error": one_line(error)}
        print(json.dumps(answer), file=answers, flush=True)


main()
