"""docs/performance.md and its charts from results.json; the prose between the figures is written by hand.

`python -m benchmarks.report` renews them without measuring anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import charts
from benchmarks.row import Figure

_PROJECT = Path(__file__).resolve().parent.parent
RESULTS = _PROJECT / "benchmarks" / "results.json"
PAGE = _PROJECT / "docs" / "performance.md"
IMAGES = _PROJECT / "docs" / "images"
_PART = re.compile(r"(<!-- figures: (?P<name>[\w ,-]+?) -->\n).*?(<!-- end -->)", re.DOTALL)

Rows = Sequence[Mapping[str, Any]]


def write() -> None:
    """Renew the page's figures and the charts of what was measured."""
    rows = json.loads(RESULTS.read_text())
    page, images = render(PAGE.read_text(), rows)
    PAGE.write_text(page)
    for name, svg in images.items():
        (IMAGES / name).write_text(svg)


def render(page: str, rows: Rows) -> tuple[str, dict[str, str]]:
    """The page with every part between `<!-- figures: NAME -->` and `<!-- end -->` made anew, and its charts by file
    name. NAME is "all", "machine", "growth" or the task of some figures."""
    images: dict[str, str] = {}

    def part(found: re.Match[str]) -> str:
        name = found["name"]
        made = _PARTS.get(name, _task)(name, rows, images)
        return f"{found[1]}\n{made}\n\n{found[3]}"

    return _PART.sub(part, page), images


def _all(_: str, rows: Rows, __: dict[str, str]) -> str:
    lines = ["| | size | ours | peer | ratio | must be | |", "| --- | --- | ---: | ---: | ---: | --- | --- |"]
    for row in rows:
        peer = "" if row["peer"] is None else f"{row['peer']:.3g} {row['unit']}"
        if row.get("against"):
            peer += f" ({row['against']})"
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.{0 if row['ratio'] >= 10 else 1}f} ×"
        verdict = "holds" if row["holds"] else "**does not hold**"
        ours = f"{row['ours']:.3g} {row['unit']}"
        lines.append(f"| {row['name']} | {row['size']} | {ours} | {peer} | {ratio} | {row['bar']} | {verdict} |")
    return "\n".join(lines)


def _machine(_: str, rows: Rows, __: dict[str, str]) -> str:
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if "machine" in row:
            said = f"load before it {row['load']:.1f}"
            found.setdefault((row["machine"], row["at"]), []).append(f"{row['benchmark']} ({said})")
    return "\n".join(f"- {at}, {machine}: {', '.join(dict.fromkeys(names))}." for (machine, at), names in found.items())


def _task(name: str, rows: Rows, images: dict[str, str]) -> str:
    figures = [each for each in _figures(rows) if each.task == name]
    if not figures:
        return "Not measured yet."
    ours, peers = figures[0], figures[1:]
    best = min(peers, key=lambda each: each.seconds)
    says = f"{name}: {ours.contestant} {charts.seconds(ours)}, {best.contestant} {charts.seconds(best)}"
    file = f"performance-{name.replace(', ', '-').replace(' ', '-').lower()}.svg"
    images[file] = charts.bars(figures, says=says)
    return f"![{says}](images/{file})\n\n{_table(figures)}"


def _growth(_: str, rows: Rows, images: dict[str, str]) -> str:
    figures = [each for each in _figures(rows) if each.task == "windows, growth"]
    if not figures:
        return "Not measured yet."
    series: dict[str, list[Figure]] = {}
    for each in sorted(figures, key=lambda each: each.events):
        series.setdefault(each.contestant, []).append(each)
    most = max(each.events for each in figures)
    says = f"Seconds against events, up to {most // 10**6} million, for {', '.join(series)}"
    images["performance-growth.svg"] = charts.growth(series, says=says)
    return f"![{says}](images/performance-growth.svg)\n\n{_table(figures, sizes=True)}"


def _table(figures: Sequence[Figure], *, sizes: bool = False) -> str:
    head = ["", *(["events"] if sizes else []), "time", "of CPU", "memory", "rounds"]
    lines = [_cells(head), _cells(["---", *["---:"] * (len(head) - 1)])]
    for each in figures:
        size = [f"{each.events:,}"] if sizes else []
        used = [f"{each.cpu_s:.3g} s", f"{each.peak_gb:.2g} GB"] if each.finished else ["", ""]
        lines.append(_cells([each.contestant, *size, charts.seconds(each), *used, str(each.rounds)]))
    return "\n".join(lines)


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figures(rows: Rows) -> list[Figure]:
    return [Figure(**figure) for row in rows for figure in row.get("figures", ())]


_PARTS: Mapping[str, Callable[[str, Rows, dict[str, str]], str]] = {
    "all": _all,
    "machine": _machine,
    "growth": _growth,
}

if __name__ == "__main__":
    write()
