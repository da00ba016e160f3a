"""The page says what matters first, in plain words, and trusts nothing that it shows."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from expectations.checks import Severity
from expectations.page import OTHER_ADVICE, RunFacts, advice, render, verdict
from expectations.results import CheckResult

FACTS = RunFacts(date(2026, 1, 1), "Demo company", {"Exports": "data_docs/exports/index.html"})
HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=y>&{{ 7 * 7 }}"
LOADS = [
    {"source": "shop", "files": 24, "rows_read": 50_123, "rows_loaded": 50_100,
     "rows_quarantined": 23},
]  # fmt: skip
QUARANTINE = [
    {"source": "web", "reason": "occurred_at is not a timestamp", "column_name": "occurred_at",
     "rows": 3},
    {"source": "shop", "reason": "order_id is missing", "column_name": "order_id", "rows": 20},
]  # fmt: skip


def result(
    title: str, success: bool = True, severity: Severity = "critical", **other: Any
) -> CheckResult:
    filled = {"observed": "3 of 9 rows", "details": "allowed: none", **other}
    return CheckResult("suite", "raw.orders", "Expect", title, severity, success, **filled)


class Tags(HTMLParser):
    """Collects the tags and their attributes, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("results", "text", "state"),
    [
        ([result("a"), result("b")], "All 2 checks passed", "good"),
        ([result("a")], "All 1 check passed", "good"),
        (
            [result("a"), result("b", False, "warning")],
            "All 1 check passed; 1 warning",
            "odd",
        ),
        (
            [result("a", False), result("b", False, "warning"), result("c", False, "warning")],
            "1 critical check of 3 failed: nothing is published; 2 warnings",
            "bad",
        ),
        ([], "Nothing was checked", "bad"),
    ],
)
def test_verdict(results: list[CheckResult], text: str, state: str) -> None:
    assert (verdict(results).text, verdict(results).state) == (text, state)


def test_what_is_worst_comes_first() -> None:
    page = render(
        {
            "extract_crm": [result("It is fine"), result("It is odd", False, "warning")],
            "publish": [result("It is broken", False)],
        },
        FACTS,
        LOADS,
        QUARANTINE,
    )
    marks = ["1 critical check of 3", "It is broken", "It is odd", "50,123", "order_id is missing",
             "occurred_at is not", "It is fine", "data_docs/exports/index.html"]  # fmt: skip
    assert [page.index(mark) for mark in marks] == sorted(page.index(mark) for mark in marks)


def test_hostile_text_is_shown_not_run() -> None:
    page = render(
        {HOSTILE: [result(HOSTILE, False, observed=HOSTILE, details=HOSTILE), result(HOSTILE)]},
        RunFacts(date(2026, 1, 1), HOSTILE, {HOSTILE: HOSTILE}),
        [{**LOADS[0], "source": HOSTILE}],
        [{**QUARANTINE[0], "reason": HOSTILE, "source": HOSTILE, "column_name": HOSTILE}],
    )
    seen = Tags(page)
    assert {"script", "img"}.isdisjoint(tag for tag, _ in seen.tags)
    assert not any(name.startswith("on") for _, attributes in seen.tags for name in attributes)
    assert HOSTILE in seen.text
    assert "49" not in seen.text.replace("1,49", "")


def test_nothing_is_fetched_from_elsewhere() -> None:
    page = render({"step": [result("a")]}, FACTS, LOADS, QUARANTINE)
    seen = Tags(page)
    assert {tag for tag, _ in seen.tags}.isdisjoint({"link", "script", "img", "iframe", "object"})
    assert not re.search(r"url\(|@import|https?:", page)
    links = [attributes["href"] for _, attributes in seen.tags if "href" in attributes]
    assert links == ["data_docs/exports/index.html"]


def test_tables_are_tables_to_those_who_listen() -> None:
    seen = Tags(render({"step": [result("a"), result("b", False)]}, FACTS, LOADS, QUARANTINE))
    headers = [attributes for tag, attributes in seen.tags if tag == "th"]
    assert headers
    assert all(attributes.get("scope") in {"col", "row"} for attributes in headers)
    assert dict(seen.tags)["html"]["lang"] == "en"
    assert len([tag for tag, _ in seen.tags if tag == "h1"]) == 1


def test_it_begins_as_a_document_and_knows_the_dark_and_the_phone() -> None:
    page = render({"step": [result("a")]}, FACTS)
    assert page.startswith("<!doctype html>")
    assert "prefers-color-scheme: dark" in page
    assert "width=device-width" in page


def test_rows_that_are_not_accounted_for_are_said() -> None:
    lost = [{**LOADS[0], "rows_loaded": 50_000}]
    assert "100 not accounted for" in render({}, FACTS, lost)
    assert "Some rows are neither loaded nor turned away" in render({}, FACTS, lost)
    assert "not accounted for" not in render({}, FACTS, LOADS)


def test_sums_over_all_sources() -> None:
    seen = Tags(render({}, FACTS, [LOADS[0], {**LOADS[0], "source": "crm"}]))
    assert "100,246" in seen.text


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("order_id is missing", "fill this column"),
        ("ordered_at is not a timestamp", "UTC"),
        ("birth_date is not a date", "2025-12-31"),
        ("amount is not a decimal", "with a point"),
        ("is_test is not a boolean", "true or false"),
        ("nps is not a bigint", "plain numbers"),
        ("ordered_at is in the future", "clock"),
        ("unit_price is negative", "price"),
        ("exact duplicate of an earlier row of the file", "first copy"),
        ("malformed row: Expected Number of Columns: 4", "delimiter"),
        ("not a record: none of the mapped columns is there", "mapped columns"),
        ("the file is empty", "sent again"),
        ("a reason nobody has thought of", OTHER_ADVICE),
    ],
)
def test_advice_fits_the_reason(reason: str, words: str) -> None:
    assert words in advice(reason)


def test_the_page_is_the_same_each_time() -> None:
    arguments: Any = ({"step": [result("a"), result("b", False)]}, FACTS, LOADS, QUARANTINE)
    assert render(*arguments) == render(*arguments)
