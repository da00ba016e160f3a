"""The page of a run: one HTML file with everything inside, for people who do not ask a database."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, PackageLoader, StrictUndefined

from tessera.charts.theme import dark_style
from tessera.run_report.contents import CHAPTERS
from tessera.run_report.part import Composed, compose

FILE = "report.html"


@dataclass(frozen=True)
class About:
    """Whose segments the page shows, in which currency, as of when; and the run's fingerprint."""

    company: str
    currency: str
    as_of: date
    run: str = ""


def render(connection: duckdb.DuckDBPyConnection, about: About) -> str:
    """The page. `connection` sees the warehouse of the run, with `segments` as published."""
    chapters = {
        name: [compose(part, connection) for part in parts] for name, parts in CHAPTERS.items()
    }
    templates = Environment(
        loader=PackageLoader("tessera.run_report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("page.html.j2").render(
        about=about,
        chapters=chapters,
        summary=_summary(connection, chapters),
        segments=_segments(connection),
        dark=dark_style().removeprefix("<style>").removesuffix("</style>"),
    )


def write(connection: duckdb.DuckDBPyConnection, folder: Path, about: About) -> str:
    """Write report.html in one step: a reader sees the old one or the new. Say what was done.

    The page of a run is written once, and again when it is gone.
    """
    file = folder / FILE
    if file.exists() and f'"run" content="{about.run}"' in file.read_text(encoding="utf-8")[:1000]:
        return "unchanged"
    page = render(connection, about)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{FILE}.unfinished"
    with unfinished.open("w", encoding="utf-8") as written:
        written.write(page)
        written.flush()
        os.fsync(written.fileno())
    unfinished.rename(file)
    return f"{file}: {len(page) / 1e6:.1f} MB"


def _summary(
    connection: duckdb.DuckDBPyConnection, chapters: dict[str, list[Composed]]
) -> list[tuple[str, str]]:
    """The sentences to read when there is time for five: anchor and sentence."""
    wanted = ("sizes", "silhouettes", "moves", "audit", "quality")
    told = {part.anchor: part.sentence for parts in chapters.values() for part in parts}
    return [(anchor, told[anchor]) for anchor in wanted]


def _segments(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The segments in words, largest revenue first."""
    return (
        connection.sql(
            "select segment_id, segment_name, customers, customer_share, revenue_share, "
            "description, suggested_action from segments.segment_profiles "
            "order by gross_revenue desc, segment_name"
        )
        .to_arrow_table()
        .to_pylist()
    )
