"""What became of every file and row, in the terminal, and what to do about what was refused."""

from __future__ import annotations

import re

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

# The first pattern that a reason matches says what to do.
ADVICE = (
    (r"no exchange rate", "add the currency to [rates] in the settings, then retry"),
    (r"required columns missing", "map the columns under their new names, or export them again"),
    (r"does not exist in", "check `timezone` of the source: no clock there showed this time"),
    (
        r"is not a (decimal|double|bigint)",
        "set `decimal` and `thousands` as the export writes numbers, or mend the rows; then retry",
    ),
    (
        r"is not a (timestamp|date)",
        "set `time_format` or `date_format` as exported, or mend the rows; then retry",
    ),
    (r"in the future|before 1900", "check the clock of the system, and the unit of `time_format`"),
    (
        r"[Uu]nicode|utf-8|not \S+ text",
        "set `encoding` of the source as it was exported; then retry",
    ),
    (r"Expected Number of Columns", "check `delimiter`, or mend the rows; then retry"),
    (r"[Qq]uote", "a quote is open to the end: export the file again"),
    (r"unit_price is negative", 'set negative_price = "adjustment" if these are corrections'),
    (r"exact duplicate", "nothing: the first of the equal rows is loaded"),
    (
        r"not valid JSON|not a JSON object|malformed",
        "mend the rows, or export them again; then retry",
    ),
    (r"(is|are) missing", "the export left the column empty: mend the rows; then retry"),
    (r"nothing in it that", "nothing, if such records are not wanted; else see the format's page"),
    (r"the file is empty|GZIP|end-of-stream|Parquet", "the file is cut off: export it again"),
)
MEND = "mend the rows, then retry"

STAGED = {
    "contacts": "stg_crm__contacts",
    "consents": "stg_crm__consents",
    "demographics": "stg_crm__demographics",
    "orders": "stg_shop__orders",
    "order_lines": "stg_shop__order_lines",
    "refunds": "stg_shop__refunds",
    "products": "stg_shop__products",
    "tickets": "stg_support__tickets",
    "survey_answers": "stg_feedback__survey_answers",
    "campaign_events": "stg_marketing__campaign_events",
    "web_events": "stg_web__events",
    "app_events": "stg_app__events",
    "posts": "stg_social__posts",
    "profiles": "stg_social__profiles",
    "follows": "stg_social__follows",
}
# What of staging the features leave out, and why: (kind, reason, how many).
LEFT_OUT = {
    "int_web_events_excluded": "select 'web_events', excluded_because, events from {table}",
    "int_order_revenue_balanced": (
        "select 'orders', destination, orders from {table} where destination <> 'customers'"
    ),
}


def advice(reason: str) -> str:
    """What to do about a reason of refusal.

    >>> advice("birth_date is not a date")[:20]
    'set `time_format` or'
    """
    return next((told for pattern, told in ADVICE if re.search(pattern, reason)), MEND)


def examine(connection: duckdb.DuckDBPyConnection) -> list[RenderableType]:
    """The balance of every source, what was refused and why, and what changed in the exports."""
    refusals = _refusals(connection)
    parts: list[RenderableType] = [_balance(connection)]
    if refusals.row_count:
        told = (
            "[dim]retry: `tessera quarantine retry SOURCE` loads its files with refused rows anew, "
            "after the settings\nwere mended. To mend rows by hand: `tessera quarantine export "
            "SOURCE rows.jsonl`, mend each `record`,\nand `tessera quarantine retry SOURCE "
            "--repaired rows.jsonl`. A refused file is tried again by every run.[/dim]"
        )
        parts += [refusals, told]
    parts += [table for table in (_used(connection), _drift(connection)) if table.row_count]
    return parts


def _balance(connection: duckdb.DuckDBPyConnection) -> Table:
    title = "Read = loaded + in quarantine + already there"
    headings = ("Files", "Replaced", "Refused", "Rows read", "Loaded", "Quarantine", "There")
    table = _table(title, ("Source",), headings)
    for source, *numbers in connection.execute(
        """
        select if(count(*) over (partition by source) > 1, source || ' · ' || kind, source) as name,
               count(*) filter (status in ('loaded', 'already there')),
               count(*) filter (status = 'replaced'), count(*) filter (status = 'refused'),
               sum(rows_read) filter (status not in ('withdrawn', 'replaced')), sum(rows_loaded),
               sum(rows_quarantined), sum(rows_already_there)
        from ops.loads group by source, kind order by source, kind
        """
    ).fetchall():
        table.add_row(escape(source), *(f"{int(number or 0):,}" for number in numbers))
    return table


def _refusals(connection: duckdb.DuckDBPyConnection) -> Table:
    table = _table("Refused: reason, an example, and what to do", ("Source",), ("Rows",))
    table.add_column("", overflow="fold", ratio=1)
    for source, reason, count, example in connection.execute(
        """
        select source, reason, count(*), min_by(file || ' line ' || line, (file, line))
        from quarantine.rows group by source, reason
        union all
        select source, 'whole file: ' || reason, null, file from quarantine.files
        order by 1, 3 desc nulls first, 2
        """
    ).fetchall():
        told = escape(f"{reason}\n  {example}\n  → {advice(reason)}")
        table.add_row(escape(source), f"{count:,}" if count else "file", told)
    return table


def _used(connection: duckdb.DuckDBPyConnection) -> Table:
    """What the last build made of the loaded rows, kind by kind; empty before the first."""
    title = "From raw to features: loaded = replaced by a newer version + in staging"
    table = _table(title, ("Kind",), ("Loaded", "Replaced", "In staging"))
    table.add_column("Of these, left out of the features", overflow="fold")
    there = {
        name
        for (name,) in connection.execute(
            "select table_name from information_schema.tables "
            "where table_schema in ('staging', 'intermediate')"
        ).fetchall()
    }
    left_out = _left_out(connection, there)
    for kind, staged in STAGED.items():
        if staged not in there:
            continue
        counts = connection.execute(
            f"select (select count(*) from raw.{kind}), (select count(*) from staging.{staged})"
        ).fetchone()
        loaded, used = counts or (0, 0)
        if loaded:
            why = ", ".join(left_out.get(kind, []))
            table.add_row(kind, f"{loaded:,}", f"{loaded - used:,}", f"{used:,}", why)
    return table


def _left_out(connection: duckdb.DuckDBPyConnection, there: set[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, select in LEFT_OUT.items():
        if table in there:
            rows = connection.execute(select.format(table=f"intermediate.{table}")).fetchall()
            for kind, reason, count in sorted(rows):
                found.setdefault(kind, []).append(f"{count:,} {reason}")
    return found


def _drift(connection: duckdb.DuckDBPyConnection) -> Table:
    title = "Columns that came or went (new ones are kept in raw as _extra)"
    table = _table(title, ("Source", "Column", "Change", "Since"), ())
    for row in connection.execute(
        """
        select d.source, d.column_name, d.change, min_by(l.file, d.load_id)
        from ops.drift d join ops.loads l using (load_id) group by all order by all
        """
    ).fetchall():
        table.add_row(*(escape(text) for text in row))
    return table


def _table(title: str, texts: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in texts:
        table.add_column(heading, overflow="fold", min_width=8)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
