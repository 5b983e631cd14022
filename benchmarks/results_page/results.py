"""What lies in benchmarks/results, by what it is: each file says so by its fields."""
import json
import statistics
from dataclasses import dataclass
from pathlib import Path

from devices import measured


@dataclass
class Beside:
    """A run of benchmarks/beside: ours and another program, in turn. Seconds, MiB."""
    path: Path
    date: str
    mode: str  # train or infer
    base: int
    batch: int
    precision: str
    memory: str  # what --memory was
    peer: str
    ours_s: float
    peer_s: float
    ours_mib: float
    peer_mib: float
    machine: str

    @property
    def ratio(self):
        return self.peer_s / self.ours_s


@dataclass
class Convolutions:
    """Rows of glia bench of one network: pass -> implementation -> seconds of a step."""
    path: Path
    base: int
    batch: int
    machine: str
    seconds: dict
    layers: list  # (layer, pass, {implementation: seconds})
    roofline: tuple  # devices.measured


def median(samples):
    return statistics.median(samples)


def machine_of(environment):
    return f"{environment['cpu']}, {environment['cores']} cores"


def peer_name(run, command):
    name = run["peer"].split("+")[0].replace("torch", "PyTorch").replace("onnxruntime", "ONNX Runtime")
    if run.get("precision") == "bf16" and "bf16" not in name:
        name += ", bf16 autocast"
    return name


def beside(path, json_):
    ours, peers = json_["runs"]["ours"], json_["runs"]["peer"]
    mib = lambda runs: max((run.get("peak_mib", 0) for run in runs), default=0)  # noqa: E731
    return Beside(path, json_["date"], ours[0].get("mode", "train"), ours[0]["base"], ours[0]["batch"],
                  ours[0].get("precision", "fp32"), ours[0].get("memory", "auto"),
                  peer_name(peers[0], json_["commands"]["peer"]), json_["median_step_s"]["ours"],
                  json_["median_step_s"]["peer"], mib(ours), mib(peers), machine_of(json_))


def convolutions(path, json_):
    """Of windows of 3x3 but for a first layer of three channels, as docs/cpu.md counts them."""
    seconds, layers = {}, {}
    for row in json_["rows"]:
        if row["op"] != "conv2d" or row["R"] != 3 or row["C"] <= 3 or not row["warm_s"]:
            continue
        per_pass = seconds.setdefault(row["phase"], {})
        who = row["implementation"]
        per_pass[who] = per_pass.get(who, 0) + row["calls"] * row["warm_s"]
        layers.setdefault((row["layer"], row["phase"]), {})[who] = row["warm_s"]
    first = json_["rows"][0]
    return Convolutions(path, first["base_width"], first["batch_size"], machine_of(json_["environment"]),
                        seconds, [(*key, times) for key, times in layers.items()], measured(path, json_))


def is_convolutions(json_):
    return (isinstance(json_, dict) and json_.get("program") == "glia bench" and
            len({row["implementation"] for row in json_["rows"] if row["op"] == "conv2d"}) > 1 and
            "onednn" in json_["settings"]["backends"])


def is_bf16(json_):
    """glia bench of whole steps in fp32 and bf16, in turn."""
    return (isinstance(json_, dict) and json_.get("program") == "glia bench" and
            json_["settings"].get("precision") == ["fp32", "bf16"] and len(json_["steps"]) > 1 and
            all("step_s" in step for step in json_["steps"]))


def load(folder):
    """All files by kind; `others` are those that the page only lists."""
    found = {"beside": [], "convolutions": [], "predicted": [], "training": [], "bf16": [], "scaling": [],
             "others": []}
    for path in sorted(folder.glob("*.json")):
        json_ = json.loads(path.read_text())
        if isinstance(json_, list) and json_ and str(json_[0].get("what", "")).startswith("predicted"):
            found["predicted"].append((path, json_))
        elif not isinstance(json_, dict):
            found["others"].append((path, {}))
        elif json_.get("measures") == "scaling":
            found["scaling"].append((path, json_))
        elif {"commands", "median_step_s", "runs"} <= json_.keys() and "base" in json_["runs"]["ours"][0]:
            found["beside"].append(beside(path, json_))
        elif is_bf16(json_):
            found["bf16"].append((path, json_))
        elif is_convolutions(json_):
            found["convolutions"].append(convolutions(path, json_))
        elif {"glia", "torch"} <= json_.keys() and "epochs" in json_["torch"]:
            found["training"].append((path, json_))
        else:
            found["others"].append((path, json_))
    return found
