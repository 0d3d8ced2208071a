"""The one sheet: contrast from its tokens, and templates that keep to it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

PAGES = Path("platform/ethogram/http/pages")
SCHEMES = ("light", "dark")
# Every ground on which running text may stand, and the washes that carry one colour each.
GROUNDS = ("paper", "card", "wash", "accent-wash")
TEXTS = ("ink", "quiet", "faint", "accent")
WASHED = [("good", "good-wash"), ("warn", "warn-wash"), ("bad", "bad-wash")]


@pytest.fixture(scope="module")
def sheet(project: Path) -> str:
    return (project / PAGES / "static" / "ethogram.css").read_text()


@pytest.fixture(scope="module")
def tokens(sheet: str) -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", sheet, re.S)[:2]
    read = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", text)) for name, text in (("light", light), ("dark", dark))
    }
    assert read["light"].keys() == read["dark"].keys()
    return read


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_wcag_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_has_a_contrast_of_4_5_on_every_ground(tokens: dict[str, dict[str, str]], scheme: str):
    own = tokens[scheme]
    pairs = [*itertools.product(TEXTS, GROUNDS), *WASHED, *((text, "paper") for text, _ in WASHED)]
    low = {f"{a} on {b}": round(contrast(own[a], own[b]), 2) for a, b in pairs if contrast(own[a], own[b]) < 4.5}
    assert not low


def test_colours_are_tokens_and_nothing_comes_from_elsewhere(sheet: str):
    rules = re.sub(r":root \{.*?\}", "", sheet, flags=re.S)
    assert not re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", rules)
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert "@media print" in sheet
    assert ":focus-visible" in sheet


def test_the_sheet_has_exactly_the_classes_that_templates_and_charts_use(project: Path, sheet: str):
    known = set(re.findall(r"\.([a-z][\w-]*)", sheet))
    used = {"good", "warn", "bad", "a", "b", "on"}  # grades, tones and the row or node asked about: put in by value
    for source in [*(project / PAGES).glob("templates/*.html"), *(project / PAGES).glob("*.py")]:
        for value in re.findall(r"""class="([^"{}]+)|name="(square)\"""", source.read_text()):
            used |= set("".join(value).split())
    assert used - known == set()
    assert known - used == set()


def test_templates_carry_no_style_no_script_and_never_mark_text_as_safe(project: Path):
    for template in (project / PAGES / "templates").glob("*.html"):
        text = template.read_text()
        assert not re.search(r"\sstyle=|<script|<style|\|\s*safe\b|autoescape false", text), template.name
