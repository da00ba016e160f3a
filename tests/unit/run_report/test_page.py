from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import duckdb
import pytest

from tessera.run_report.contents import CHAPTERS
from tessera.run_report.page import About, render, write

spec = spec_from_file_location("report_tables", Path(__file__).with_name("tables.py"))
assert spec and spec.loader
tables = module_from_spec(spec)
spec.loader.exec_module(tables)

ABOUT = About("Ink & <Paper>", "EUR", date(2026, 1, 1), "f00")
VOID = {"meta", "br", "input", "img", "link"}
ANCHORS = [part.anchor for parts in CHAPTERS.values() for part in parts]


class Outline(HTMLParser):
    """What a reader who does not see is told: headings, ids, pictures with names, links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in ("h1", "h2", "h3", "h4"):
            self.levels.append(int(tag[1]))
        if tag == "svg":
            self.pictures.append(told)
        self.ids += [told["id"]] if told.get("id") else []  # type: ignore[list-item]
        self.links += [told["href"]] if told.get("href") else []  # type: ignore[list-item]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"


@pytest.fixture(scope="module")
def page_of() -> Iterator[Callable[..., str]]:
    made: dict[tuple[int, int, bool], str] = {}

    def page(customers: int, segments: int, second: bool = False) -> str:
        if (customers, segments, second) not in made:
            with duckdb.connect() as connection:
                tables.fill(connection, customers, segments)
                connection.execute(tables.SECOND if second else "select 1")
                made[customers, segments, second] = render(connection, ABOUT)
        return made[customers, segments, second]

    yield page


def sentence(page: str, anchor: str) -> str:
    found = re.search(rf'<h3 id="{anchor}">.*?</h3>\s*<p>(.*?)</p>', page, flags=re.DOTALL)
    assert found, anchor
    return found[1]


def test_every_part_is_there_with_its_sentence(page_of: Callable[..., str]) -> None:
    page = page_of(900, 12, True)
    for anchor in ANCHORS:
        assert sentence(page, anchor).endswith("."), anchor
    drawn = [anchor for anchor in ANCHORS if f'aria-labelledby="{anchor}-told"' in page]
    made_elsewhere = {"lifecycle", "flows", "gates"}
    assert set(drawn) == set(ANCHORS) - made_elsewhere
    assert sentence(page, "moves").startswith("40 customers moved since the run before, 75% of")
    assert (
        sentence(page, "lineage")
        == "Runs so far: 2; 1 births, splits, mergers and deaths of segments."
    )
    assert (
        sentence(page, "quality")
        == "2 of 100 rows were refused, each with its reason; 1 of 1 checks hold."
    )


def test_in_the_first_week_nothing_has_changed_and_the_page_says_so(
    page_of: Callable[..., str],
) -> None:
    page = page_of(900, 3)
    assert "nobody moved since the run before, or this is the first" in sentence(page, "moves")
    assert "there is no run before" in sentence(page, "lineage")
    assert "no segments.lifecycle_transitions" in sentence(page, "lifecycle")


def test_one_customer_and_no_customer(page_of: Callable[..., str]) -> None:
    assert "1 of 1" not in sentence(page_of(1, 1), "sizes")
    with duckdb.connect() as connection:
        tables.fill(connection, 0, 1)
        page = render(connection, ABOUT)
    assert "no segment has been published" in sentence(page, "sizes")
    assert "No customer is in a segment." in page
    Outline(page)


def test_the_page_needs_nothing_from_elsewhere(page_of: Callable[..., str]) -> None:
    page = page_of(900, 12, True)
    assert "http" not in page and "<script" not in page and "@import" not in page
    assert not re.search(r"\b(src|xlink:href)=|url\((?!#)", page)
    assert all(link.startswith("#") for link in Outline(page).links)


def test_at_a_million_customers_it_is_small(page_of: Callable[..., str]) -> None:
    """What is drawn of customers is a sample: its size does not grow with their number."""
    assert len(page_of(20_000, 12, True).encode()) < 1_500_000


def test_who_cannot_see_is_told(page_of: Callable[..., str]) -> None:
    page = page_of(900, 12, True)
    outline = Outline(page)
    assert outline.levels[0] == 1 and outline.levels.count(1) == 1
    steps = zip(outline.levels, outline.levels[1:], strict=False)
    assert all(after - before <= 1 for before, after in steps), "no level is skipped"
    assert len(outline.ids) == len(set(outline.ids))
    for link in outline.links:
        assert link[1:] in outline.ids, link
    for picture in outline.pictures:
        assert picture["role"] == "img" and picture["aria-labelledby"] in outline.ids
    assert page.count("<figure tabindex") == len(outline.pictures) == page.count("<details>")
    assert not outline.open, "every tag is closed"


def test_names_are_text_and_not_tags(page_of: Callable[..., str]) -> None:
    page = page_of(900, 12, True)
    assert "<Paper>" not in page and "Ink &amp; &lt;Paper&gt;" in page
    assert "<Customers>" not in page and "<often>" not in page


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_stands_out_in_both_lights(page_of: Callable[..., str]) -> None:
    page = page_of(900, 12, True)
    schemes = re.findall(r"--page: .*?--link: #\w{6};", page, flags=re.DOTALL)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        for ground in ("page", "card"):
            for text in ("ink", "quiet", "link"):
                light = sorted(luminance(colours[name]) for name in (ground, text))
                assert (light[1] + 0.05) / (light[0] + 0.05) >= 4.5, (ground, text)


def test_the_page_of_a_run_is_written_once_and_in_one_step(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        tables.fill(connection, 50, 2)
        assert "MB" in write(connection, tmp_path, ABOUT)
        first = (tmp_path / "report.html").stat().st_mtime_ns
        assert write(connection, tmp_path, ABOUT) == "unchanged"
        assert (tmp_path / "report.html").stat().st_mtime_ns == first
        later = About(ABOUT.company, "EUR", date(2026, 1, 8), "f01")
        assert "MB" in write(connection, tmp_path, later)
        connection.execute("drop table segments.segment_profiles")
        with pytest.raises(duckdb.Error):
            write(connection, tmp_path, About("x", "EUR", date(2026, 1, 15), "f02"))
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert "2026-01-08" in (tmp_path / "report.html").read_text("utf-8"), "the last one stays"


def test_the_same_tables_give_the_same_page(page_of: Callable[..., str]) -> None:
    with duckdb.connect() as connection:
        tables.fill(connection, 900, 3)
        assert render(connection, ABOUT) == page_of(900, 3)
