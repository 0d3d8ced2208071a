"""Pages in a real browser: at 390 and 1440 px, light and dark."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

PAGES = [
    "/",
    "/taxonomy",
    "/taxonomy/commerce.purchase",
    "/signals",
    "/signals/purchase_rhythm",
    "/models",
    "/models/lapse",
    "/models/lapse/6",
    "/sources",
    "/sources/receipts",
    "/sources/web_events",
    "/training-sets",
    "/training-sets/lapsed_90d/9f2c4107d5be",
    "/outcomes/lapsed_90d",
    "/teams",
    "/changes",
    "/search?q=purchase",
    "/signals/purchase_rythm",
]
# Each visible text with its colour and the first opaque ground below it, in sRGB, as WCAG's contrast.
LOW_CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = element => { for (let at = element; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor); if (colour[3] === 255) return colour; } return null; };
  const low = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !element.getClientRects().length || element.closest('title')) continue;
    const style = getComputedStyle(element);
    const own = rgb(element instanceof SVGElement ? style.fill : style.color), under = ground(element);
    const [a, b] = [light(own), light(under)].sort((x, y) => y - x);
    seen += 1;
    if ((a + .05) / (b + .05) < 4.5) low.push([walk.currentNode.data.trim().slice(0, 40), (a + .05) / (b + .05)]);
  }
  return {seen, low};
})()"""
WIDER = """[...document.body.querySelectorAll('*')]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.wide, pre, svg, .skip'))
  .map(e => e.tagName + '.' + e.className)"""
SMALL_TEXT = """[...document.querySelectorAll('main svg text')].filter(t => t.getClientRects().length)
  .map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a).filter(size => size < 10.5)"""

# What of the notice shows in the first window: its words, and how much of its box lies inside.
NOTICE = """(() => {
  const notice = document.querySelector('.notice');
  if (!notice) return null;
  const box = notice.getBoundingClientRect();
  const inside = box.width === innerWidth && box.height > 20 && box.top >= 0 && box.bottom <= innerHeight;
  return [notice.innerText.startsWith('Made data.'), inside, notice.checkVisibility({visibilityProperty: true})];
})()"""
TOO_LONG = """[...document.querySelectorAll('svg text.label')].map(t => [t.textContent,
    t.parentElement.querySelector('rect').getBBox(), t.getBBox()])
  .filter(([, box, text]) => text.x < box.x + 5 || text.x + text.width > box.x + box.width - 5).map(([name]) => name)"""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_and_reads_at_both_widths_in_both_schemes(browser: Any, site: str, path: str):
    for width in (390, 1440):
        for dark in (False, True):
            where = f"{path} at {width} px, {'dark' if dark else 'light'}"
            browser.go(site + path, width=width, dark=dark)
            assert browser.evaluate("innerWidth") == width
            assert browser.evaluate("document.documentElement.scrollWidth") == width, (where, browser.evaluate(WIDER))
            assert browser.evaluate(WIDER) == [], where
            contrast = browser.evaluate(LOW_CONTRAST)
            assert contrast["seen"] > 10, where
            assert contrast["low"] == [], where
            assert browser.evaluate(SMALL_TEXT) == [], where
            assert browser.evaluate(TOO_LONG) == [], where
            assert browser.evaluate(NOTICE) == [True, True, True], where
            ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
            assert ground == ("rgb(21, 24, 27)" if dark else "rgb(251, 250, 247)"), where
            assert all(url.startswith(site + "/") for url in browser.requested), where
            if path != "/signals/purchase_rythm":  # Chromium notes the 404 itself
                assert browser.complaints == [], where
            if keep := os.environ.get("ETHOGRAM_PICTURES"):
                name = path.strip("/").replace("/", "-").replace("?", "-") or "home"
                browser.picture(Path(keep) / f"{name}-{width}-{'dark' if dark else 'light'}.png")


def test_the_keyboard_reaches_the_content_first_and_shows_where_it_is(browser: Any, site: str):
    browser.go(site + "/signals")
    browser.press("Tab", 9)
    assert browser.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert browser.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    browser.press("Tab", 9)
    assert browser.evaluate("document.activeElement.className") == "brand"
    assert browser.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_filter_works_without_script(browser: Any, site: str):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.go(site + "/taxonomy?q=ticket")
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.evaluate("document.querySelectorAll('tbody a[href^=\"/taxonomy/\"]').length") == 2
    browser.evaluate("document.querySelector('form.filter input[name=q]').value = 'basket'")
    browser.evaluate("document.querySelector('form.filter button').click()")
    browser.loaded()
    assert "q=basket" in browser.evaluate("location.search")
    assert "commerce.cart_add" in browser.evaluate("document.querySelector('main').innerText")


def test_a_state_is_a_word_with_a_shape(browser: Any, site: str):
    browser.go(site + "/")
    marks = browser.evaluate(
        "[...document.querySelectorAll('.mark')].map(m => [m.className, m.textContent.trim(), "
        "getComputedStyle(m, '::before').content])"
    )
    shapes = {"good": '"●"', "warn": '"▲"', "bad": '"■"', "plain": '"○"'}
    assert {name.split()[-1] for name, _, _ in marks} == set(shapes)
    for name, word, shape in marks:
        assert word
        assert shape == shapes[name.split()[-1]]


def test_the_picture_draws_every_behavior_with_events(browser: Any, site: str):
    browser.go(site + "/", width=390)
    rows = browser.evaluate(
        "[...document.querySelectorAll('.ethogram .tick')].map(t => { const box = t.getBoundingClientRect();"
        " return [box.width, box.height]; })"
    )
    assert len(rows) == 14
    assert all(width > 250 and height >= 7 for width, height in rows)


def test_paper_gets_no_navigation(browser: Any, site: str):
    browser.go(site + "/models/lapse")
    browser.send("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluate("document.querySelector('.bar nav').getClientRects().length") == 0
    assert browser.evaluate("document.querySelector('h1').getClientRects().length") == 1
