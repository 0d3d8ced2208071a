"""Charts as SVG: pure functions from values to markup, each with a sentence that says its finding.

Geometry sits in a nested viewport that stretches with the page while text keeps its size: the same chart reads at 390
and at 1440 px. Looks come from the sheet, by class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from ethogram.core.monitoring.psi import Histogram, rebin
from ethogram.http.pages.wording import short
from ethogram.usecases.catalog.lineage import Key, Lineage

WIDE = 1000  # units of the stretched viewport
LETTER = 6.2 / 340  # one letter of a label, as a share of the narrowest chart


def sparkline(values: Sequence[float], *, says: str, width: int = 110, height: int = 24) -> Markup:
    """A line without axes; a dot where there is one value only.

    >>> "polyline" in sparkline([1.0, 2.0], says="rises")
    True
    """
    if not values:
        return Markup("")
    low, high = min(values), max(values)
    room = height - 6

    def y(value: float) -> float:
        return height / 2 if high == low else 3 + room * (1 - (value - low) / (high - low))

    if len(values) == 1:
        shape = f'<circle class="dot" cx="{width - 3}" cy="{height / 2:g}" r="2.2"/>'
    else:
        step = (width - 2) / (len(values) - 1)
        points = " ".join(f"{1 + i * step:.1f},{y(value):.1f}" for i, value in enumerate(values))
        shape = f'<polyline class="lineplot" points="{points}"/>'
    return _svg(shape, says=says, box=(width, height), fixed=True)


def histogram(now: Histogram, *, says: str, reference: Histogram | None = None, height: int = 170) -> Markup:
    """Bars of shares now; the reference, on the same bins, as a dashed step line."""
    bars = now.shares
    before = rebin(reference, now.edges).shares if reference else ()
    top = max([*bars, *before, 1e-12])
    step = WIDE / len(bars)
    shapes = [
        f'<rect class="area" x="{i * step + step * 0.04:.1f}" y="{height * (1 - s / top):.1f}" '
        f'width="{step * 0.92:.1f}" height="{height * s / top:.1f}"/>'
        for i, s in enumerate(bars)
    ]
    if before:
        levels = [height * (1 - s / top) + 0.7 for s in before]
        path = "".join(
            f"{'M' if not i else 'L'}{i * step:.1f} {y:.1f}H{(i + 1) * step:.1f}" for i, y in enumerate(levels)
        )
        shapes.append(f'<path class="ghost" d="{path}"/>')
    shapes.append(f'<path class="grid" d="M0 {height - 0.5}H{WIDE}"/>')
    whole = 0.5 if all(edge % 1 == 0.5 for edge in now.edges) else 0.0  # bins of whole numbers are cut between them
    if whole and now.edges[-1] - now.edges[0] == len(bars):
        every = -(-len(bars) // 13)  # one bar a whole number: its label stands below it
        labels = [((i + 0.5) / len(bars), short(now.edges[i] + 0.5)) for i in range(0, len(bars), every)]
    else:
        marks = sorted({0, len(bars) // 4, len(bars) // 2, 3 * len(bars) // 4, len(bars)})
        labels = [
            (place / len(bars), short(now.edges[place] + (whole if place < len(bars) else -whole))) for place in marks
        ]
    return _stretched(shapes, labels, says=says, height=height)


def timeline(
    points: Sequence[tuple[datetime, float]],
    *,
    says: str,
    reference: float | None = None,
    reference_label: str = "",
    height: int = 130,
) -> Markup:
    """A line over time from zero; the reference is dashed and labelled where it runs."""
    if not points:
        return Markup("")
    first, last = points[0][0], points[-1][0]
    top = max([value for _, value in points] + ([reference] if reference is not None else [])) or 1.0
    y = {value: 18 + (height - 20) * (1 - value / top) for _, value in points}
    line = " ".join(f"{WIDE * place(at, first, last):.1f},{y[value]:.1f}" for at, value in points)
    marks = time_marks(first, last)
    shapes = [f'<path class="grid" d="M{WIDE * p:.1f} 0V{height}"/>' for p, _ in marks]
    shapes.append(f'<path class="grid" d="M0 {height - 0.5}H{WIDE}"/>')
    if len(points) == 1:
        shapes.append(f'<path class="lineplot" d="M0 {y[points[0][1]]:.1f}H{WIDE}"/>')
    else:
        shapes.append(f'<polyline class="lineplot" points="{line}"/>')
    over = [f'<text x="0" y="10" class="value">{escape(short(top))}</text>']
    if reference is not None:
        level = 18 + (height - 20) * (1 - reference / top)
        shapes.append(f'<path class="ghost" d="M0 {level:.1f}H{WIDE}"/>')
        over.append(f'<text x="100%" y="{level - 4:.1f}" text-anchor="end">{escape(reference_label)}</text>')
    return _stretched(shapes, marks, says=says, height=height, over=over)


def calibration(points: Sequence[tuple[float, float, int]], *, says: str, size: int = 300) -> Markup:
    """Observed against predicted; the dashed diagonal is perfect, a dot's area grows with its rows."""
    top = max([max(p, o) for p, o, _ in points] + [1e-9])
    top = next((step for step in (0.1, 0.2, 0.4, 0.6, 0.8) if top <= step), 1.0)
    left, base = 42, size - 26
    room = base - 8

    def x(value: float) -> float:
        return left + room * value / top

    def y(value: float) -> float:
        return base - room * value / top

    most = max((n for _, _, n in points), default=1) or 1
    quarters = [top * part / 4 for part in range(5)]
    shapes = [
        f'<path class="grid" d="M{left} {y(q):.1f}H{x(top):.1f}M{x(q):.1f} {base}V{y(top):.1f}"/>' for q in quarters
    ]
    for q in quarters[::2]:
        label = f"{q * 100:g} %"
        shapes.append(f'<text x="{left - 6}" y="{y(q) + 4:.1f}" text-anchor="end">{label}</text>')
        shapes.append(f'<text x="{x(q):.1f}" y="{base + 16}" text-anchor="middle">{label}</text>')
    shapes.append(f'<path class="ghost" d="M{left} {base}L{x(top):.1f} {y(top):.1f}"/>')
    line = " ".join(f"{x(p):.1f},{y(o):.1f}" for p, o, _ in points)
    shapes.append(f'<polyline class="lineplot" points="{line}"/>')
    shapes += [
        f'<circle class="dot" cx="{x(p):.1f}" cy="{y(o):.1f}" r="{2 + 4 * (n / most) ** 0.5:.1f}"/>'
        for p, o, n in points
    ]
    return _svg("".join(shapes), says=says, box=(int(x(top)) + 14, size), name="square")


def lineage(graph: Lineage, addresses: Mapping[Key, str], *, says: str) -> Markup:
    """Columns from left to right; names are links where `addresses` knows the page; paths to the focus stand out."""
    width, gap, row = 180, 30, 46  # 24 letters of the sheet's label, monospaced at 11 px, and 10 px either side
    tallest = max(len(column) for column in graph.columns)
    height = tallest * row + 12
    spots: dict[Key, tuple[float, float]] = {}
    nodes = []
    for i, column in enumerate(graph.columns):
        top = (height - len(column) * row) / 2
        for j, node in enumerate(column):
            x, y = 2 + i * (width + gap), top + j * row + 6
            spots[node.key] = (x, y + 17)
            on = " on" if node.key == graph.focus else ""
            text = escape(_cut(node.label, 24))
            body = (
                f'<rect class="node{on}" x="{x}" y="{y:.1f}" width="{width}" height="34" rx="6"/>'
                f'<text class="label" x="{x + 10}" y="{y + 21:.1f}">{text}</text>'
            )
            title = f"<title>{escape(node.kind)} {escape(node.label)}</title>"
            href = addresses.get(node.key)
            nodes.append(f'<a href="{escape(href)}">{title}{body}</a>' if href else f"<g>{title}{body}</g>")
    paths = []
    for a, b in graph.edges:
        (x1, y1), (x2, y2) = spots[a], spots[b]
        on = " on" if graph.focus in (a, b) else ""
        x1 += width
        paths.append(
            f'<path class="edge{on}" d="M{x1} {y1:.1f}C{x1 + gap} {y1:.1f} {x2 - gap} {y2:.1f} {x2} {y2:.1f}"/>'
        )
    total = len(graph.columns) * (width + gap) - gap + 4
    return _svg("".join([*paths, *nodes]), says=says, box=(total, height), fixed=True, role="group")


def time_marks(first: datetime, last: datetime, most: int = 6) -> list[tuple[float, str]]:
    """Where years, months or days begin between two instants: (share of the way, label), at most `most`."""
    span = (last - first).days
    steps = [("day", 1), ("day", 7), ("day", 14), *(("month", n) for n in (1, 2, 3, 6, 12, 24, 60, 120))]
    for unit, size in steps:
        if span / size / (1 if unit == "day" else 30.4) <= most:
            break
    found = []
    at = datetime(first.year, first.month, first.day, tzinfo=first.tzinfo)
    if unit == "month":
        at = at.replace(month=1, day=1)
        if size >= 12:
            at = at.replace(year=at.year - at.year % (size // 12))
    while at <= last:
        if at >= first:
            label = f"{at.day} {at:%b}" if unit == "day" else str(at.year) if size >= 12 else f"{at:%b %Y}"
            found.append((place(at, first, last), label))
        if unit == "day":
            at += timedelta(days=size)
        else:
            months = at.month - 1 + size
            at = at.replace(year=at.year + months // 12, month=months % 12 + 1)
    return found


def place(at: datetime, first: datetime, last: datetime) -> float:
    """Share of the way from `first` to `last`."""
    span = (last - first).total_seconds()
    return (at - first).total_seconds() / span if span else 0.0


def axis(marks: Sequence[tuple[float, str]], *, y: int) -> list[str]:
    """Labels along the bottom; the outer ones are kept inside, one that would touch the one before it is left out."""
    shapes = []
    free = 0.0
    for share, label in marks:
        anchor = "start" if share < 0.04 else "end" if share > 0.94 else "middle"
        width = len(label) * LETTER
        left = share - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        if left < free:
            continue
        free = left + width + LETTER
        shapes.append(f'<text x="{share * 100:.2f}%" y="{y}" text-anchor="{anchor}">{escape(label)}</text>')
    return shapes


def _stretched(
    shapes: Sequence[str],
    marks: Sequence[tuple[float, str]],
    *,
    says: str,
    height: int,
    over: Sequence[str] = (),
) -> Markup:
    inner = (
        f'<svg width="100%" height="{height}" viewBox="0 0 {WIDE} {height}" preserveAspectRatio="none">'
        f"{''.join(shapes)}</svg>"
    )
    body = "".join([inner, *over, *axis(marks, y=height + 16)])
    return Markup(
        f'<svg class="chart" width="100%" height="{height + 22}" role="img" aria-label="{escape(says)}">{body}</svg>'
    )


def _svg(
    body: str, *, says: str, box: tuple[int, int], fixed: bool = False, name: str = "", role: str = "img"
) -> Markup:
    width, height = box
    size = f' width="{width}" height="{height}"' if fixed else ""
    kind = f' class="{name}"' if name else ""
    return Markup(
        f'<svg{kind}{size} viewBox="0 0 {width} {height}" role="{role}" aria-label="{escape(says)}">{body}</svg>'
    )


def _cut(text: str, most: int) -> str:
    """Both ends of a long text: names differ at either."""
    if len(text) <= most:
        return text
    tail = most // 2
    return f"{text[: most - 1 - tail]}…{text[-tail:]}"
