"""How far data parallelism would go on GPUs: computed from rates that others publish, measured by nobody here.

A step on many GPUs is that of one, and what it waits for: small collectives (of each norm one forward and
one backward, one of the loss) and those gradients that come too late to be sent while the backward pass
goes on. All-reduces are rings: 2 (n-1)/n of the bytes pass each link."""
from dataclasses import dataclass

STEP_MS = 6.45                # bf16, base 64, 12 images a GPU: predicted, see docs/kernels/README.md
GRADIENTS = 31037633          # of base 64, float32
NORMS = 18
BACKWARD_MS = 2 / 3 * STEP_MS
# Share of the backward pass after which a share of the gradients is there: the encoder's, which are few,
# come last.
READY = ((0.65, 0.39), (0.72, 0.85), (0.80, 0.96), (1.0, 1.0))


@dataclass
class Machine:
    name: str
    gpus: int
    nodes: int
    link_gb_s: float     # of a GPU to the others of its node
    network_gb_s: float  # of a node to others
    collective_us: float  # a small one


MACHINES = [Machine("8 GPUs of one node, NVLink", 8, 1, 375, 0, 18),
            Machine("2 nodes of 8, one link of 400 Gb/s each", 16, 2, 375, 50, 38),
            Machine("8 nodes of 8, eight such links each", 64, 8, 375, 400, 60)]


def all_reduce_ms(machine, share=1.0):
    """Within each node, and a part of the gradients each between the nodes."""
    bytes_ = 4 * GRADIENTS * share
    local = machine.gpus / machine.nodes
    ring = lambda n, rate: 2 * (n - 1) / n * bytes_ / (rate * 1e9) * 1e3  # noqa: E731
    between = ring(machine.nodes, machine.network_gb_s) if machine.nodes > 1 else 0
    return ring(local, machine.link_gb_s) + between


def exposed_ms(machine):
    """What of sending is left when the backward pass ends, if each part goes as soon as it is there."""
    free, sent = 0.0, 0.0
    for when, share in READY:
        free = max(free, when * BACKWARD_MS) + all_reduce_ms(machine, share - sent)
        sent = share
    return free - BACKWARD_MS


def row(machine, norm):
    reduce = all_reduce_ms(machine)
    exposed = exposed_ms(machine)
    small = (2 * NORMS * (norm == "batch") + 1) * machine.collective_us / 1e3
    step = STEP_MS + exposed + small
    unhidden = STEP_MS + reduce + small
    return (machine.name, norm, f"{reduce:.2f} ms", f"{small:.2f} ms", f"{100 * STEP_MS / unhidden:.0f} %",
            f"{100 * STEP_MS / step:.0f} %")


HEAD = ("machine", "norm", "gradients", "small collectives", "efficiency", "gradients sent in the backward pass")


def rows():
    return [row(machine, norm) for machine in MACHINES for norm in ("batch", "group")]
