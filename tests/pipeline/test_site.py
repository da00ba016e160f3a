"""Every table that people read has a page and a chart, and the site opens from disk."""

from __future__ import annotations

import re
from contextlib import ExitStack
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import duckdb
import pytest

from tessera.charts.registry import shown
from tessera.charts.shown import NothingToDraw
from tessera.charts.theme import as_svg
from tessera.publish.published import FILE
from tests.pipeline.conftest import ROOT, Finished, tessera

PICTURES = ROOT / "docs" / "images" / "tables"
LARGEST = 60_000  # bytes
# One run has no moves between segments, and few orders no rules.
RARE = {
    "segment_history", "segment_migrations", "basket_rules", "trend_changes", "triggers",
    "trigger_events", "micro_segments", "customer_micro_segments", "rule_overlaps",
    "pipeline_drift",
}  # fmt: skip


def public(demo: Finished) -> set[str]:
    rows = demo.query(
        "select table_name from information_schema.tables "
        "where table_schema in ('features', 'segments')"
    )
    return {name for (name,) in rows} | {"about"}


def test_each_table_has_a_page_and_a_chart(demo_run: Finished) -> None:
    tables = public(demo_run)
    assert set(shown()) == tables, "a chart without a table, or a table without a chart"
    assert {page.stem for page in (ROOT / "docs" / "reference" / "tables").glob("*.md")} == tables
    assert {picture.stem for picture in PICTURES.glob("*.svg")} == tables, "run `make charts`"


def test_each_chart_and_each_query_shows_something(demo_run: Finished) -> None:
    files = (demo_run.data / "warehouse" / "tessera.duckdb", demo_run.data / "published" / FILE)
    with ExitStack() as opened:
        warehouse, published = (
            opened.enter_context(duckdb.connect(str(file.resolve()), read_only=True))
            for file in files
        )
        for name, table in shown().items():
            c = published if name == "about" else warehouse
            rows = c.execute(table.query).fetchall()
            assert rows or name in RARE, name
            try:
                drawn = as_svg(table.draw(c))
            except NothingToDraw:
                assert name in RARE, name
            else:
                assert drawn.count("<path") > 5, name


def test_pictures_are_small() -> None:
    sizes = {p.name: p.stat().st_size for p in PICTURES.glob("*.svg")}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}


class Links(HTMLParser):
    """What a page points to, and the anchors it has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {name for name in (given.get("id"), given.get("name")) if name}
        if tag in ("img", "script") and given.get("src"):
            self.loaded.append(given["src"] or "")
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            self.loaded.append(given.get("href") or "")
        elif tag == "a" and given.get("href"):
            self.found.append(given["href"] or "")


def links(page: Path) -> Links:
    parsed = Links()
    parsed.feed(page.read_text(encoding="utf-8"))
    return parsed


@pytest.fixture(scope="module")
def site(demo_run: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    done = tessera(demo_run.data, "docs", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def our_pages(site: Path) -> dict[Path, Links]:
    """Those made from Markdown, not those that other tools made."""
    others = {"dbt", "quality", "data_docs", "identity", "404.html"}
    pages = [p for p in site.rglob("*.html") if p.relative_to(site).parts[0] not in others]
    return {page: links(page) for page in pages}


def test_all_pages_are_there(site: Path, demo_run: Finished) -> None:
    for table in public(demo_run):
        assert (site / "reference" / "tables" / f"{table}.html").exists()
        assert (site / "images" / "tables" / f"{table}.svg").exists()
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html")
        name = name.with_name("index.html") if name.stem == "README" else name
        assert (site / name).exists(), name
    for made in ("dbt", "quality", "data_docs"):
        assert (site / made).is_dir(), made


def test_no_link_is_broken(site: Path) -> None:
    pages = our_pages(site)
    broken = []
    for page, parsed in pages.items():
        for link in parsed.found + parsed.loaded:
            told = urlsplit(link)
            if told.scheme or told.netloc:
                continue
            target = (page.parent / unquote(told.path)).resolve() if told.path else page
            if not target.is_file():
                broken.append(f"{page.relative_to(site)}: {link}")
            elif told.fragment and target in pages:
                anchored = unquote(told.fragment) in pages[target].anchors
                broken += [] if anchored else [f"{page.relative_to(site)}: {link}"]
    assert broken == [], "\n".join(broken)


def test_nothing_is_loaded_from_the_network(site: Path) -> None:
    for page, parsed in our_pages(site).items():
        assert [link for link in parsed.loaded if urlsplit(link).netloc] == [], page
        assert 'class="mermaid"' not in page.read_text(), f"{page}: mermaid.js would be fetched"
    for style in site.glob("assets/**/*.css"):
        assert not re.search(r"url\(\s*[\"']?https?:|@import", style.read_text()), style
