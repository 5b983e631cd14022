"""What the rooflines of the page show: measured rows of a CPU, predicted ones of a GPU."""
import re

from roofline import roofline

# Operations of a multiprocessor of Hopper a clock, multiply-adds counted twice, and bytes a second of an
# H200's memory: NVIDIA's data sheets of H100 and H200.
HOPPER = {"fp32": 256, "tf32": 2048, "bf16": 4096}
H200_BYTES = 4.8e12


def traffic(row, element):
    """Bytes of the three tensors of a convolution, each once. "12x240x240 3>64 3x3/2"."""
    n, h, w, c, k, r, s, stride = re.fullmatch(
        r"(\d+)x(\d+)x(\d+) (\d+)>(\d+) (\d+)x(\d+)(?:/(\d+))?", row["call"]).groups()
    n, h, w, c, k, r, s, stride = (int(part or 1) for part in (n, h, w, c, k, r, s, stride))
    up = row["kernel"].startswith("conv_transpose2d")
    p, q = (h * stride, w * stride) if up else (-(-h // stride), -(-w // stride))
    return element * (n * h * w * c + n * p * q * k + k * r * s * c)


def measured(path, json_):
    """(file, machine, bandwidth, peaks, marks) of rows of glia bench with measured peaks."""
    environment = json_["environment"]
    marks = [(f"{row['layer']} {row['phase']}: {row['gflops_per_s']:.0f} GFLOP/s", row["phase"],
              row["flops_per_byte"], 1e9 * row["gflops_per_s"])
             for row in json_["rows"] if row["implementation"] == "native" and row["gflops_per_s"]]
    first = json_["rows"][0]
    return (path, f"base {first['base_width']}, batch {first['batch_size']}, {environment['cpu']}",
            json_["peaks"]["bytes_per_s"], {"fp32": json_["peaks"]["flops_per_s"]}, marks)


def predicted(path, parts):
    first = parts[0]
    a_second = first["multiprocessors"] * first["clock_ghz"] * 1e9
    marks = [(f"{row['layer']} {row['kernel']} {part['precision']}: {row['tflops']:.0f} TFLOP/s, predicted",
              part["precision"], row["tflops"] * row["ms"] * 1e9 /
              traffic(row, 2 if part["precision"] == "bf16" else 4), 1e12 * row["tflops"])
             for part in parts for row in part["rows"]]
    return (path, f"base {first['base_width']}, batch {first['batch_size']}, H200",
            H200_BYTES, {name: each * a_second for name, each in HOPPER.items()}, marks)


def charts(found):
    """Name of a chart -> (its device, its text)."""
    last = max(found["convolutions"], key=lambda of: (of.base, of.path.name))
    return {name: (device, roofline(f"Convolutions of a training step, {device[1]}: {how}", *device[2:]))
            for name, device, how in (
                ("results-roofline-cpu.svg", last.roofline, "measured"),
                ("results-roofline-h200.svg", predicted(*found["predicted"][-1]),
                 "predicted, not measured"))}


def section(drawn, link):
    cpu, gpu = (drawn[f"results-roofline-{name}.svg"][0] for name in ("cpu", "h200"))
    peak = next(iter(cpu[3].values()))
    peaks = ", ".join(f"{rate / 1e12:.0f} in {name}" for name, rate in gpu[3].items())
    return f"""## Rooflines

A mark is a convolution of one pass of one layer; the lines are what the device could do at best
([benchmarks.md](benchmarks.md#the-roofline)).

![Roofline of a CPU](images/results-roofline-cpu.svg)

Measured: {cpu[1]} ({link(cpu[0])}); {cpu[2] / 1e9:.0f} GB/s copied, {peak / 1e9:.0f} GFLOP/s of multiply-adds. Operations
are those of the definition, so that Winograd's algorithm passes the line.

![Roofline of an H200, predicted](images/results-roofline-h200.svg)

**Predicted, no GPU has measured it**: {gpu[1]} ({link(gpu[0])}). The lines are no measurement either: {gpu[2] / 1e12:.1f} TB/s
and {peaks} TFLOP/s, from NVIDIA's data sheets at the clock that was assumed; the last two are those of `wgmma`,
which our kernels do not use.
"""
