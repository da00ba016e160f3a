"""What people see in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tessera.answers import open_tables
from tessera.warehouse import published_url


def segments(published: Path, currency: str) -> RenderableType:
    """One line a segment, largest revenue first. Raises NothingPublished."""
    with open_tables(published / "segments.duckdb") as connection:
        rows = connection.execute(
            """
            select segment_id, segment_name, customers, customer_share, revenue_share,
                   median_recency_days, median_frequency, median_monetary, mean_engagement_score,
                   suggested_action, as_of, sum(customers) over () as total
            from segments.segment_profiles order by gross_revenue desc, segment_name
            """
        ).fetchall()
    as_of, total = (rows[0][10], rows[0][11]) if rows else ("?", 0)
    title = f"{len(rows)} segments of {total:,} customers as of {as_of}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    actions = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column("Segment", style="bold", overflow="fold")
    for heading in ("Customers", "Share", "Revenue", "Recency", "Orders", "Spent", "Engaged"):
        table.add_column(heading, justify="right", no_wrap=True)
    for key, name, customers, share, revenue, recency, orders, spent, engaged, action, *_ in rows:
        figures = (_number(recency), _number(orders), _number(spent), _number(engaged, 1))
        table.add_row(name, f"{customers:,}", _percent(share), _percent(revenue), *figures)
        actions.add_row(Text(key, style="dim"), Text(name, style="bold"), action or "")
    note = Text(
        f"Recency (days), orders and spent ({currency}, net of refunds) are medians; engaged is "
        "the mean engagement score.",
        style="dim",
    )
    return Group(table, note, Text("\nSuggested actions", style="italic"), actions)


def places(published: Path, artifacts: Path, warehouse_file: Path) -> str:
    """Where to look next, a line each; print it with soft wrap, so that paths stay whole."""
    found = (
        ("Segment tables (DuckDB, for BI)", published / "segments.duckdb"),
        ("For SQLAlchemy, Superset", published_url(published / "segments.duckdb")),
        ("The same as Parquet", published / "parquet"),
        ("Report of the run (a web page)", published / "report.html"),
        ("Data quality, in plain words", artifacts / "quality" / "index.html"),
        ("Great Expectations Data Docs", artifacts / "data_docs"),
        ("Warehouse (all floors)", warehouse_file),
    )
    return "\n" + "\n".join(f"{what:<33}{where}" for what, where in found)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _number(value: Any, decimals: int = 0) -> str:
    return "–" if value is None else f"{float(value):,.{decimals}f}"
