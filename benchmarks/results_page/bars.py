"""Bars in pairs, as SVG: a pair a row, ours and the other's, each with its figure in words. Written
here, since the page must come out the same by any version of a plotting library."""
from html import escape

STYLE = """svg { color-scheme: light dark; }
text { font: 12px system-ui, sans-serif; fill: #333; }
.title { font-size: 14px; font-weight: 600; } .end { text-anchor: end; }
.paper { fill: #fff; } .ours { fill: #0072b2; } .other { fill: #c9ced6; }
@media (prefers-color-scheme: dark) {
text { fill: #ccc; } .paper { fill: #16181d; } .ours { fill: #56b4e9; } .other { fill: #5a616c; }
}"""


def bars(title, others, rows):
    """rows: (label, ours, other, words of ours, words of other); longer is more of it."""
    label, room, height = 190, 360, 40
    top = 60
    width, tall = label + room + 170, top + height * len(rows) + 10
    longest = max(max(ours, other) for _, ours, other, _, _ in rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {tall}" width="{width}" '
           f'height="{tall}" role="img">', f"<title>{escape(title)}</title>", f"<style>\n{STYLE}\n</style>",
           f'<rect class="paper" width="{width}" height="{tall}"/>',
           f'<text class="title" x="12" y="22">{escape(title)}</text>',
           f'<rect class="ours" x="12" y="34" width="10" height="10"/><text x="27" y="43">Glia</text>',
           f'<rect class="other" x="72" y="34" width="10" height="10"/>'
           f'<text x="87" y="43">{escape(others)}</text>']
    for i, (name, ours, other, says, other_says) in enumerate(rows):
        y = top + i * height
        out.append(f'<text class="end" x="{label - 8}" y="{y + 20}">{escape(name)}</text>')
        for k, (kind, value, words) in enumerate((("ours", ours, says), ("other", other, other_says))):
            length = room * value / longest
            out.append(f'<rect class="{kind}" x="{label}" y="{y + 2 + 15 * k}" width="{length:.1f}" '
                       f'height="13"/><text x="{label + length + 6:.1f}" y="{y + 13 + 15 * k}">'
                       f"{escape(words)}</text>")
    return "\n".join(out + ["</svg>"]) + "\n"
