"""Charts as SVG files that stand by themselves, readable on light and dark pages; pure functions of figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.row import Figure

WIDTH = 720
_STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2430 }
.soft { fill: #5c6470 } .paper { fill: #ffffff } .grid { stroke: #d9dde3; stroke-width: 1 }
.ours { fill: #0b6e4f; stroke: #0b6e4f } .peer0 { fill: #8a5a00; stroke: #8a5a00 }
.peer1 { fill: #3f5f9e; stroke: #3f5f9e } .peer2 { fill: #8c3f7f; stroke: #8c3f7f }
.line { fill: none; stroke-width: 2 } .bar { stroke: none }
</style>"""


def bars(figures: Sequence[Figure], *, says: str) -> str:
    """Seconds of each contestant, ours first; one that was cut off is drawn at the limit and says so."""
    left, right, row = 190, 90, 30
    longest = max(figure.seconds for figure in figures)
    shapes = []
    for i, figure in enumerate(figures):
        y = 12 + i * row
        width = max(2.0, (WIDTH - left - right) * figure.seconds / longest)
        shown = seconds(figure)
        shapes.append(f'<text x="{left - 10}" y="{y + 15}" text-anchor="end">{escape(figure.contestant)}</text>')
        shapes.append(f'<rect class="bar {_class(i)}" x="{left}" y="{y}" width="{width:.1f}" height="20" rx="3"/>')
        shapes.append(f'<text x="{left + width + 8:.1f}" y="{y + 15}">{shown}</text>')
    return _svg("".join(shapes), 18 + len(figures) * row, says)


def growth(series: Mapping[str, Sequence[Figure]], *, says: str) -> str:
    """Seconds against events, both logarithmic, one line a contestant; straight and at 45° is linear."""
    points = [figure for each in series.values() for figure in each]
    x_low, x_high = _decades([figure.events for figure in points])
    y_low, y_high = _decades([figure.seconds for figure in points])
    left, top, wide, high = 64, 20, WIDTH - 64 - 210, 280

    def x(events: float) -> float:
        return left + wide * (math.log10(events) - x_low) / (x_high - x_low)

    def y(taken: float) -> float:
        return top + high * (1 - (math.log10(taken) - y_low) / (y_high - y_low))

    shapes = []
    for power in range(x_low, x_high + 1):
        at = x(10**power)
        shapes.append(f'<path class="grid" d="M{at:.1f} {top}V{top + high}"/>')
        label = f"{10**power // 10**6} M" if power >= 6 else f"{10**power // 1000} k"
        shapes.append(f'<text class="soft" x="{at:.1f}" y="{top + high + 20}" text-anchor="middle">{label}</text>')
    for power in range(y_low, y_high + 1):
        at = y(10.0**power)
        shapes.append(f'<path class="grid" d="M{left} {at:.1f}H{left + wide}"/>')
        shapes.append(f'<text class="soft" x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>')
    shapes.append(f'<text class="soft" x="{left + wide / 2}" y="{top + high + 42}" text-anchor="middle">events</text>')
    for i, figures in enumerate(series.values()):
        drawn = " ".join(f"{x(figure.events):.1f},{y(figure.seconds):.1f}" for figure in figures)
        shapes.append(f'<polyline class="line {_class(i)}" points="{drawn}"/>')
        shapes += [
            f'<circle class="{_class(i)}" cx="{x(figure.events):.1f}" cy="{y(figure.seconds):.1f}" r="3.5"/>'
            for figure in figures
        ]
    # The legend stands in the order of the lines, slowest on top.
    slowest_first = sorted(enumerate(series.items()), key=lambda each: -each[1][1][0].seconds)
    for place, (i, (name, _)) in enumerate(slowest_first):
        height = top + 14 + place * 22
        shapes.append(f'<circle class="{_class(i)}" cx="{left + wide + 28}" cy="{height - 4}" r="4.5"/>')
        shapes.append(f'<text x="{left + wide + 40}" y="{height}">{escape(name)}</text>')
    return _svg("".join(shapes), top + high + 56, says)


def seconds(figure: Figure) -> str:
    """How long, in three digits: "0.42 s", "> 600 s" for one that was cut off."""
    if not figure.finished:
        return f"> {figure.seconds:.0f} s"
    digits = max(0, 2 - math.floor(math.log10(max(figure.seconds, 0.01))))
    return f"{figure.seconds:.{min(digits, 2)}f} s"


def _class(i: int) -> str:
    return "ours" if not i else f"peer{(i - 1) % 3}"


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _svg(body: str, height: float, says: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
        f'height="{height:g}" role="img"><title>{escape(says)}</title>{_STYLE}'
        f'<rect class="paper" width="{WIDTH}" height="{height:g}" rx="8"/>{body}</svg>\n'
    )
