"""docs/results.md, its charts, the README's headline and the model in docs/scale.md, as text."""
import devices
import scaling_model
from bars import bars
from results import load, machine_of

MODEL, END_OF_MODEL = "<!-- model: benchmarks/results-page -->", "<!-- end of the model -->"
BEGIN, END = "<!-- headline: benchmarks/results-page -->", "<!-- end of the headline -->"


def seconds(value):
    return f"{1000 * value:.0f} ms" if value < 0.1 else f"{value:.3g} s"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def link(path, text="raw"):
    return f"[{text}](../benchmarks/results/{path.name})"


def newest(runs):
    """Of runs of the same thing beside the same peer the last."""
    last = {}
    for run in runs:
        last[run.mode, run.base, run.batch, run.precision, run.peer, run.memory] = run
    return sorted(last.values(), key=lambda r: (r.mode != "train", r.precision != "fp32", r.base, r.batch,
                                                r.peer, r.memory))


def what_of(run):
    what = "prediction" if run.mode == "infer" else "training step"
    return f"{what}, base {run.base}, batch {run.batch}, {run.precision}"


def fair(runs):
    """Training steps in the default way, in fp32 on both sides: what a headline may say."""
    found = [run for run in runs if run.mode == "train" and run.precision == "fp32" and
             run.memory == "auto" and "autocast" not in run.peer]
    newest_torch = max((run.peer for run in found), default="", key=version_of)
    return [run for run in found if run.peer == newest_torch]


def version_of(peer):
    return [int(part) for part in peer.split()[-1].split(".") if part.isdigit()]


def steps_section(runs):
    rows = [(what_of(run), seconds(run.ours_s), f"{run.peer}: {seconds(run.peer_s)}", f"{run.ratio:.2f}",
             f"{run.ours_mib:.0f} and {run.peer_mib:.0f} MiB" if run.ours_mib and run.peer_mib else "",
             run.machine, link(run.path, run.date)) for run in newest(runs)]
    return f"""## Beside other programs

Ours and the other's run in turn (`benchmarks/beside`); medians of a step's time, and how many times as long
the other takes: below 1 it is faster. Peak memory is of the whole process where both told it. Where several runs
are of the same thing the last stands here. What was done for it: [cpu.md](cpu.md).

![Times of a training step](images/results-steps.svg)

{table(("what", "Glia", "the other", "ratio", "peak memory", "machine", "raw"), rows)}
"""


def layers_section(found):
    parts = []
    for of in found:
        names = list(next(iter(of.seconds.values())))
        rows = [(phase, *(f"{1000 * times[name]:.0f}" for name in names),
                 *(f"{times[name] / times['native']:.2f}" for name in names if name != "native"))
                for phase, times in of.seconds.items()]
        total = {name: sum(times[name] for times in of.seconds.values()) for name in names}
        rows.append(("together", *(f"{1000 * total[name]:.0f}" for name in names),
                     *(f"{total[name] / total['native']:.2f}" for name in names if name != "native")))
        worst = min(of.layers, key=lambda layer: min(
            time / layer[2]["native"] for name, time in layer[2].items() if name != "native"))
        least = min((time / worst[2]["native"], name) for name, time in worst[2].items() if name != "native")
        head = ("pass", *(f"{name}, ms" for name in names),
                *(f"{name} / native" for name in names if name != "native"))
        parts.append(f"Base {of.base}, batch {of.batch}, {of.machine} ({link(of.path)}). Of {len(of.layers)} "
                     f"rows the one where another is nearest to ours is {worst[0]}, {worst[1]}: "
                     f"{least[1]} takes {least[0]:.2f} times as long.\n\n{table(head, rows)}")
    return "## Convolutions of a step, on a CPU\n\nAll of 3x3 but those of a first layer, `glia bench --op " \
        "conv2d`; native are Glia's.\n\n" + "\n\n".join(parts) + "\n"


def bf16_rows(path, json_):
    """A row a network: its step in both, and of its convolutions how many bf16 makes slower."""
    rows, bases = [], sorted({step["base_width"] for step in json_["steps"]})
    for base in bases:
        step = {s["implementation"]: s["step_s"] for s in json_["steps"] if s["base_width"] == base}
        passes = {}
        for row in json_["rows"]:
            if row["base_width"] == base:
                passes.setdefault((row["layer"], row["op"], row["phase"]), {})[row["implementation"]] = row["warm_s"]
        ratios = [pair["bf16"] / pair["fp32"] for pair in passes.values()]
        rows.append((f"base {base}, batch {json_['steps'][0]['batch_size']}", seconds(step["fp32"]),
                     seconds(step["bf16"]), f"{step['fp32'] / step['bf16']:.2f}",
                     f"{sum(ratio > 1.1 for ratio in ratios)} of {len(ratios)}" if ratios else "",
                     f"{min(ratios):.2f} to {max(ratios):.2f}" if ratios else "",
                     json_["environment"]["bf16"].split(":")[0], link(path, path.name[:10])))
    return rows


def bf16_section(found):
    rows = [row for path, json_ in found for row in bf16_rows(path, json_)]
    return f"""## A step in bf16, on a CPU

`glia bench --op conv2d,conv_transpose2d,train_step --precision fp32,bf16`, in turn; slower are convolutions (a
layer and pass) that take more than 1.1 times as long in bf16.

{table(("network", "fp32", "bf16", "ratio", "slower", "bf16 / fp32 of a convolution", "by", "raw"), rows)}
"""


def scaling_section(found):
    parts = []
    for path, json_ in found:
        median = json_["median_step_s"]
        first = next(iter(median.values()))
        rows = [(name, seconds(time), f"{time / first:.2f}",
                 f"{seconds(min(json_['runs'][name]))} to {seconds(max(json_['runs'][name]))}")
                for name, time in median.items()]
        parts.append(f"Base {json_['base_width']}, batch {json_['batch_size']}, --norm {json_['norm']}, "
                     f"{machine_of(json_)} ({link(path, json_['date'])}).\n\n" +
                     table(("", "a step", "times the first", "of the runs"), rows))
    return "## One rank beside several, on a CPU\n\n`benchmarks/scaling`: the same batches, in turn " \
        "([scale.md](scale.md)).\n\n" + "\n\n".join(parts) + "\n"


def ladder_section(found):
    rows = [(part["precision"], f"{part['convolutions_ms']:.1f}", f"{part['convolutions_tflops']:.0f}",
             "not measured yet", link(path)) for path, parts in found for part in parts]
    first = found[0][1][0]
    return f"""## Convolutions of a step, on a GPU: predicted

**No GPU has run any of this.** What the models behind the kernels' choices expect of all convolutions of a
training step, base {first['base_width']}, batch {first['batch_size']}, {first['size']}x{first['size']}, on
{first['multiprocessors']} multiprocessors at {first['clock_ghz']} GHz (an H200); [the ladder](kernels/README.md)
tells how they came about.

{table(("precision", "ms", "TFLOP/s", "measured", "raw"), rows)}
"""


def training_section(found):
    parts = []
    for path, run in found:
        ours, torch = run["glia"], run["torch"]
        minutes = lambda epochs: sum(e["train_s"] for e in epochs) / 60  # noqa: E731
        rows = [("Glia", f"{ours['epochs'][-1]['val_iou']:.4f}", f"{minutes(ours['epochs']):.0f}",
                 f"{ours['evaluate']['dice_per_patient']:.4f}"),
                (f"PyTorch {torch['version'].split()[0]}", f"{torch['epochs'][-1]['val_iou']:.4f}",
                 f"{minutes(torch['epochs']):.0f}", "")]
        parts.append(f"{run['what'][0].upper()}{run['what'][1:]}. {run['machine']} "
                     f"({link(path, run['date'])}).\n\n" + table(
                         ("", "soft batch IoU after the last epoch", "minutes of training",
                          "Dice a patient"), rows))
    return "## Accuracy on patients that were not trained on\n\n" + "\n\n".join(parts) + "\n"


def others_section(found, runs):
    shown = {run.path for run in newest(runs)}
    found = found + [(run.path, {"what": f"an earlier run: {what_of(run)}, beside {run.peer}, ratio "
                                         f"{run.ratio:.2f}"}) for run in runs if run.path not in shown]
    lines = [f"- {link(path, path.name)}: {json_.get('what') or json_.get('name') or json_.get('program', '')}"
             .rstrip(": ") for path, json_ in found]
    return "## Other files\n\n[benchmarks/README.md](../benchmarks/README.md) tells of each.\n\n" + \
        "\n".join(lines) + "\n"


def machines_section(found):
    machines = sorted({run.machine for run in found["beside"]} | {of.machine for of in found["convolutions"]})
    return "## Machines\n\n" + "\n".join(f"- {machine}" for machine in machines) + "\n"


def headline(found):
    runs = sorted(fair(newest(found["beside"])), key=lambda r: (r.base, r.batch))
    path, training = found["training"][-1]
    rows = [(f"training step, base {run.base}, batch {run.batch}", seconds(run.ours_s),
             f"{seconds(run.peer_s)} ({run.peer})", f"{run.ratio:.1f}") for run in runs]
    memory = [run for run in newest(found["beside"]) if run.memory == "lean" and run.peer_mib]
    if memory:
        rows.append((f"its memory, base {memory[-1].base}, batch {memory[-1].batch}",
                     f"{memory[-1].ours_mib:.0f} MiB",
                     f"{memory[-1].peer_mib:.0f} MiB ({memory[-1].peer})",
                     f"{memory[-1].peer_mib / memory[-1].ours_mib:.1f}"))
    ours, torch = training["glia"]["epochs"][-1], training["torch"]["epochs"][-1]
    rows.append(("IoU on patients not trained on, 5 epochs, one run each", f"{ours['val_iou']:.3f}",
                 f"{torch['val_iou']:.3f} (PyTorch {training['torch']['version'].split()[0]})", ""))
    return f"""{BEGIN}
![Times of a training step beside PyTorch](docs/images/results-steps.svg)

On {runs[0].machine}, fp32 on both sides, in turn; [all figures and their raw files](docs/results.md):

{table(("", "Glia", "the other", "times"), rows)}
{END}"""


def chart(found):
    runs = sorted(fair(newest(found["beside"])), key=lambda r: (r.base, r.batch))
    return bars("Seconds of a training step, 240x240, two cores", runs[0].peer,
                [(f"base {run.base}, batch {run.batch}", run.ours_s, run.peer_s,
                  seconds(run.ours_s), f"{seconds(run.peer_s)}, {run.ratio:.2f} times ours")
                 for run in runs])


def between(page, begin, text, end):
    before, rest = page.split(begin)
    return before + text + rest.split(end)[1]


def outputs(root):
    """Path -> text of all that is generated."""
    found = load(root / "benchmarks/results")
    rooflines = devices.charts(found)
    page = "\n".join([
        "# Results\n\nWritten by `benchmarks/results-page` from [benchmarks/results](../benchmarks/results), "
        "which holds\nevery sample; CI checks that it is what those files say. How to time by yourself: "
        "[benchmarks.md](benchmarks.md).\n",
        steps_section(found["beside"]), layers_section(found["convolutions"]),
        bf16_section(found["bf16"]), scaling_section(found["scaling"]),
        ladder_section(found["predicted"]), devices.section(rooflines, link), training_section(found["training"]),
        machines_section(found), others_section(found["others"], found["beside"])])
    readme, scale = root / "README.md", root / "docs/scale.md"
    return {root / "docs/results.md": page,
            root / "docs/images/results-steps.svg": chart(found),
            **{root / "docs/images" / name: text for name, (_, text) in rooflines.items()},
            readme: between(readme.read_text(), BEGIN, headline(found), END),
            scale: between(scale.read_text(), MODEL, f"{MODEL}\n{table(scaling_model.HEAD, scaling_model.rows())}\n"
                           f"{END_OF_MODEL}", END_OF_MODEL)}
