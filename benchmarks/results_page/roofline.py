"""Rooflines as SVG: marks of kernels under the lines of what a device could do at best, both axes
logarithmic. Written here for the reason that bars.py tells."""
import math
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 70, 20, 70, 50
COLORS = ["#0072b2", "#d55e00", "#009e73"]  # told apart by those who see fewer colours
STYLE = """svg { color-scheme: light dark; }
text { font: 12px system-ui, sans-serif; fill: #333; }
.title { font-size: 14px; font-weight: 600; } .end { text-anchor: end; } .mid { text-anchor: middle; }
.paper { fill: #fff; } .grid { stroke: #e3e6ea; } .roof { stroke: #555; stroke-width: 1.5; fill: none; }
@media (prefers-color-scheme: dark) {
text { fill: #ccc; } .paper { fill: #16181d; } .grid { stroke: #2a2e36; } .roof { stroke: #aaa; }
}"""


def decades(low, high):
    return range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)


def amount(value):
    return f"{value:g}" if value < 1000 else f"{value / 1000:g}k"


def roofline(title, bandwidth, peaks, marks):
    """bandwidth: bytes a second. peaks: name -> operations a second. marks: (label, group, operations
    a byte, operations a second); groups get a colour each, in their order."""
    groups = list(dict.fromkeys(mark[1] for mark in marks))
    x_powers = decades(min(mark[2] for mark in marks), max(mark[2] for mark in marks))
    y_powers = decades(min(mark[3] for mark in marks) / 1e9,
                       max([*peaks.values(), *(mark[3] for mark in marks)]) / 1e9)

    def at(powers, value, begin, end):
        share = (math.log10(value) - powers[0]) / (powers[-1] - powers[0])
        return begin + share * (end - begin)

    def x_of(intensity):
        return at(x_powers, intensity, LEFT, WIDTH - RIGHT)

    def y_of(rate):
        return at(y_powers, rate / 1e9, HEIGHT - BOTTOM, TOP)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
           f'height="{HEIGHT}" role="img">', f"<title>{escape(title)}</title>", f"<style>\n{STYLE}\n</style>",
           f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
           f'<text class="title" x="12" y="22">{escape(title)}</text>']
    for i, group in enumerate(groups):
        out.append(f'<circle cx="{LEFT + 6 + 130 * i}" cy="44" r="5" fill="{COLORS[i % 3]}"/>'
                   f'<text x="{LEFT + 16 + 130 * i}" y="48">{escape(group)}</text>')
    for power in x_powers:
        x = x_of(10.0**power)
        out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
                   f'<text class="mid" x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}">{amount(10.0**power)}</text>')
    for power in y_powers:
        y = y_of(1e9 * 10.0**power)
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                   f'<text class="end" x="{LEFT - 6}" y="{y + 4:.1f}">{amount(10.0**power)}</text>')
    out.append(f'<text class="mid" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}">operations a byte</text>'
               f'<text x="12" y="{TOP - 8}">GFLOP/s</text>')
    first, last = 10.0**x_powers[0], 10.0**x_powers[-1]
    for name, peak in peaks.items():
        knee = min(max(peak / bandwidth, first), last)
        lowest = max(first, 1e9 * 10.0**y_powers[0] / bandwidth)
        out.append(f'<path class="roof" d="M{x_of(lowest):.1f} {y_of(bandwidth * lowest):.1f} '
                   f'L{x_of(knee):.1f} {y_of(min(peak, bandwidth * knee)):.1f} '
                   f'L{x_of(last):.1f} {y_of(min(peak, bandwidth * last)):.1f}"/>'
                   f'<text class="end" x="{WIDTH - RIGHT - 4}" y="{y_of(min(peak, bandwidth * last)) - 5:.1f}">'
                   f"{escape(name)}</text>")
    for label, group, intensity, rate in marks:
        out.append(f'<circle cx="{x_of(intensity):.1f}" cy="{y_of(rate):.1f}" r="3.5" fill-opacity="0.75" '
                   f'fill="{COLORS[groups.index(group) % 3]}"><title>{escape(label)}</title></circle>')
    return "\n".join(out + ["</svg>"]) + "\n"
