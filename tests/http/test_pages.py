"""Every page of a store that has something of everything, and of one that has nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import urldefrag, urljoin

import pytest
from fastapi.testclient import TestClient

from ethogram.adapters.postgres.catalog import PostgresCatalog
from ethogram.adapters.postgres.engine import open_engine
from ethogram.http.app import create_app

VOID = {"meta", "link", "input", "br", "wbr", "hr", "img"}
OPTIONAL = {"option"}  # whose end tags may be left out; ours never are


class Reading(HTMLParser):
    """What a page says, and what is wrong with how it says it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.problems: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.headings: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in {"script", "style", "iframe", "object"}:
            self.problems.append(f"<{tag}>")
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.problems.append(f"{tag} {name}")
            if name in {"src", "href", "action"} and re.match(r"(?:[a-z]+:)?//|javascript:", value or ""):
                self.problems.append(f"{tag} {name}={value}")
        if "id" in values:
            self.ids.append(values["id"] or "")
        if tag == "a":
            self.links.append(values.get("href") or "")
        if tag == "svg" and values.get("role") in {"img", "group"} and not values.get("aria-label"):
            self.problems.append("a chart without its finding")
        if tag == "h1":
            self.headings.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> inside {self.open[-3:]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.text).split())


def read(client: TestClient, path: str, *, status: int = 200) -> Reading:
    answer = client.get(path)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:600]}"
    page = Reading()
    page.feed(answer.text)
    page.close()
    page.problems += [f"<{tag}> is never closed" for tag in page.open]
    page.problems += [f"id {each} twice" for each in sorted(set(page.ids)) if page.ids.count(each) > 1]
    assert not page.problems, f"{path}: {page.problems[:5]}"
    assert len(page.headings) == 1, f"{path}: {len(page.headings)} h1"
    return page


@pytest.fixture(scope="module")
def nothing(workspace: Path, state: str, seed: ModuleType) -> TestClient:
    """The front over an empty state of data that is not made."""
    reader = PostgresCatalog(open_engine(workspace, f"{state}_nothing"))
    app = create_app(reader, mlflow_url=None, now=lambda: seed.NOW)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


def test_every_link_on_every_page_leads_to_a_page_that_is_well_formed_and_says_that_the_data_is_made(
    client: TestClient,
):
    todo, seen = ["/"], {}
    while todo:
        path = todo.pop()
        page = read(client, path)
        seen[path] = page
        assert "Made data." in page.said, path
        for link in page.links:
            target, fragment = urldefrag(urljoin(path, link))
            if link.startswith("#"):
                assert fragment in page.ids, f"{path}: {link}"
            if target.startswith(("/static/", "/api/")) or "?feature=" in target:
                assert client.get(target).status_code == 200, target
            elif target not in seen and target not in todo:
                todo.append(target)
    fragments = {urldefrag(urljoin(path, link)) for path, page in seen.items() for link in page.links}
    missing = [f"{t}#{f}" for t, f in fragments if f and t in seen and f not in seen[t].ids]
    assert not missing
    for path in (
        "/taxonomy/commerce.purchase",
        "/signals/purchase_rhythm@4",
        "/models/lapse/7",
        "/sources/receipts",
        "/training-sets/lapsed_90d/9f2c4107d5be",
        "/outcomes/lapsed_90d",
        "/teams",
        "/changes",
    ):
        assert path in seen


def test_real_data_beside_made_data_is_not_called_made(seeded: PostgresCatalog, seed: ModuleType):
    assert seeded.made() == 1.0

    class Mixed(PostgresCatalog):
        def made(self) -> float:
            return 0.5

    mixed = TestClient(
        create_app(Mixed(seeded._engine), mlflow_url=None, now=lambda: seed.NOW), base_url="http://localhost"
    )
    said = read(mixed, "/").said
    assert "Made data. Part of the events here was generated by ethogram sample" in said
    assert "Every event" not in said


def test_the_overview_says_what_waits_what_changed_and_what_was_seen(client: TestClient):
    said = read(client, "/").said
    assert "3 things wait for a decision." in said
    assert "asks to become champion. 5 of 5 gates passed; needs the approval of risk.lead" in said
    assert "ends in the middle of a row group" in said
    assert "waits for the approval of support" in said
    assert "growth.analyst : signal purchase_rhythm@4" in said
    assert "240 of 243" in said
    assert "commerce.purchase: 5" in client.get("/").text.split("<figcaption>")[0]


def test_the_taxonomy_is_searched_by_alias_and_filtered_by_domain_stability_and_events(client: TestClient):
    assert "17 in 5 domains" in read(client, "/taxonomy").said
    by_alias = read(client, "/taxonomy?q=order+completed")
    assert [link for link in by_alias.links if "/taxonomy/" in link] == ["/taxonomy/commerce.purchase"]
    filtered = read(client, "/taxonomy?domain=commerce&stability=deprecated")
    assert [link for link in filtered.links if "/taxonomy/" in link] == ["/taxonomy/commerce.wishlist_add"]
    assert "/taxonomy/learning.click" not in read(client, "/taxonomy?seen=true").links
    assert "No behavior matches" in read(client, "/taxonomy?q=zzz").said


def test_a_behaviors_page_names_its_sources_signals_aliases_and_privacy(client: TestClient):
    said = read(client, "/taxonomy/commerce.purchase").said
    for fact in ("receipts", "sum(Quantity * UnitPrice)", "spend_90d", "Order Completed", "identifying", "lapsed_90d"):
        assert fact in said.replace("_ ", "_")
    gone = read(client, "/taxonomy/commerce.wishlist_add").said
    assert "deprecated" in gone
    assert "Wish lists ended. 2027-01-31" in gone
    assert "ethogram ingest SOURCE" in gone


def test_a_signals_page_shows_drift_against_the_earliest_week_that_is_kept(client: TestClient):
    said = read(client, "/signals/purchase_rhythm").said.replace("_ ", "_").replace("/ ", "/")
    assert "days_since_purchase now, against 11 weeks before" in said
    assert re.search(
        r"Bars: [0-9,]+ values as of 23 Nov 2026\. Dashes: 7 Sep 2026, the earliest, 11 weeks before\.", said
    )
    assert re.search(r"PSI [0-9.]+, above 0\.1: drifting\.", said)
    assert "lapsed_90d/9f2c4107d5be" in said
    assert said.count("drifting") == 2  # in the table and below the picture
    assert said.count("steady") == 6
    other = read(client, "/signals/purchase_rhythm?feature=spend_90d").said
    assert re.search(r"PSI [0-9.]+, below 0\.1: steady", other)
    assert 'entity_rows=[{"customer_id": KEY}]' in said
    older = read(client, "/signals/purchase_rhythm@3").said
    assert "not the newest" in older
    assert "nothing was computed yet" in client.get("/signals/purchase_rhythm@3").text


def test_a_models_page_shows_its_champion_and_any_version_asked_for(client: TestClient):
    champion = read(client, "/models/lapse").said
    assert "lapse version 7 @champion" in champion
    for fact in (
        "0.782",
        "0.021",
        "5 of 5",
        "Not calibrated for store-only customers.",
        "a score of 0.263",
        "12.180"[:2],
    ):
        assert fact in champion
    assert "Furthest off" in champion
    blocked = read(client, "/models/lapse/6").said
    assert "blocked" in blocked
    assert "4 of 5" in blocked
    assert "ethogram train reopen" in read(client, "/models/reopen").said


def test_a_sources_page_accounts_for_every_row_and_says_why_rows_are_kept_back(client: TestClient):
    said = read(client, "/sources/receipts").said.replace("_ ", "_")
    for fact in ("541,909", "65,362", "135,080", "1,181", "price_is_not_negative", "UnitPrice is -11062.06, below 0"):
        assert fact in said
    assert "receipts/2026-11.parquet:299984" in said


def test_names_that_try_to_be_markup_stay_text(client: TestClient, seed: ModuleType):
    for path in ("/signals", "/signals/desk_contacts", "/search?q=desk_contacts"):
        assert seed.HOSTILE in read(client, path).said
    asked = read(client, "/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E%22")
    assert "<script>alert(1)</script>" in asked.said
    assert "<script>" in read(client, "/nope/%3Cscript%3E", status=404).said


@pytest.mark.parametrize(
    ("path", "what", "command"),
    [
        ("/", "This store is empty", "ethogram demo shop"),
        ("/taxonomy", "by domain", "ethogram apply"),
        ("/signals", "would stand here", "ethogram apply"),
        ("/models", "would stand here", "ethogram train MODEL"),
        ("/sources", "account of their rows", "ethogram apply"),
        ("/training-sets", "label rate", "ethogram training-set"),
        ("/teams", "a team asks by writing one", "ethogram apply"),
        ("/changes", "leaves one line here", "ethogram apply"),
        ("/search", "Names, owners and briefs", ""),
    ],
)
def test_an_empty_page_says_what_would_be_here_and_how_to_fill_it(
    nothing: TestClient, path: str, what: str, command: str
):
    page = read(nothing, path)
    assert what in page.said
    assert command in page.said
    assert "Made data." not in page.said


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nope", 404, "there is no page at /nope next: start at /"),
        ("/signals/purchase_rythm", 404, "did you mean purchase_rhythm"),
        ("/taxonomy/commerce.purchas", 404, "did you mean commerce.purchase"),
        ("/models/lapse/99", 404, "no model version named 'lapse 99'"),
        ("/models/lapse/seven", 400, "version: input should be a valid integer"),
        ("/changes?before=x", 400, "before: input should be a valid integer"),
        ("/training-sets/lapsed_90d/ffffff", 404, "no training set named"),
    ],
)
def test_an_error_page_says_what_where_and_next(client: TestClient, path: str, status: int, says: str):
    assert says in read(client, path, status=status).said


def test_changes_are_paged_back_to_the_first(client: TestClient):
    assert "entries" in read(client, "/changes?before=30").said
    assert "leaves one line here" in read(client, "/changes?before=1").said
