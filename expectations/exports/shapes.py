"""Checks that many kinds of export share. At the raw floor each value is still text."""

from __future__ import annotations

from collections.abc import Sequence

from expectations.checks import WARNING, Check, matches, measure, never, present, rarely

EARLIEST_YEAR, LATEST_YEAR = 1990, 2100
EMAIL = "^[^@ ]+@[^@ ]+[.][^@ .]+$"


def decimal(column: str) -> str:
    """Return SQL for a text column as money or quantity."""
    return f"TRY_CAST({column} AS DECIMAL(18,4))"


def timestamp(column: str) -> str:
    """Return SQL for a text column as a point in time."""
    return f"TRY_CAST({column} AS TIMESTAMP)"


def missing(column: str) -> str:
    """Return SQL that is true where a text column says nothing."""
    return f"coalesce(trim({column}), '') = ''"


def all_present(titles: dict[str, str]) -> list[Check]:
    """Each required column is there in each row: column name to title. Critical."""
    return [present(column, title) for column, title in titles.items()]


def named(columns: Sequence[str], title: str) -> Check:
    """Each row says whose it is in one of the columns. Critical."""
    return never(" AND ".join(missing(column) for column in columns), title)


def known(column: str, words: Sequence[str], title: str, mostly: float) -> Check:
    """At least a share of a column's values are words that we know, in capitals or not."""
    pattern = f"(?i)^({'|'.join(words)})$"
    return matches(column, pattern, title, mostly, WARNING)


def rarely_repeated(keys: Sequence[str], title: str, at_most: float = 0.01) -> Check:
    """At most a share of the rows of one file repeats a key of that file.

    Counted within a file, because a later export may well send the same customer or order again.
    """
    named = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    sql = (
        f"SELECT 1 - count(DISTINCT hash({', '.join(keys)}, _load_id))::DOUBLE "
        f"/ nullif(count(*), 0) AS observed FROM {{batch}} WHERE {named}"
    )
    return measure(sql, title, at_most=at_most, unit="share of exceptions")


def sound_years(column: str, title: str) -> Check:
    """Hardly any date is outside the years in which a shop can have had it.

    ISO 8601 sorts as text, so no date is parsed.
    """
    outside = f"{column} < '{EARLIEST_YEAR}' OR {column} > '{LATEST_YEAR}'"
    return rarely(outside, title, at_most=0.001)


def malformed(column: str, pattern: str) -> str:
    """Return SQL for the share (0-1) of a column's values that do not contain a pattern."""
    pattern = pattern.replace("{", "{{").replace("}", "}}")
    return (
        f"SELECT count(*) FILTER (WHERE NOT regexp_matches(trim({column}), '{pattern}'))::DOUBLE "
        f"/ nullif(count(*), 0) AS observed FROM {{batch}} WHERE NOT {missing(column)}"
    )


def well_formed(column: str, pattern: str, title: str, at_most: float = 0.05) -> Check:
    """At most a share of a column's values lacks a shape. Values are personal and not shown."""
    return measure(malformed(column, pattern), title, at_most=at_most, unit="share of exceptions")


def unknown_references(column: str, table: str, title: str, at_most: float = 0.02) -> Check:
    """At most a share of rows names something that another raw table does not have.

    Measures nothing when the other table is empty: its source was not delivered.
    """
    known = f"(SELECT DISTINCT {column} FROM {table})"
    sql = (
        f"SELECT count(*) FILTER (WHERE known.{column} IS NULL)::DOUBLE / nullif(count(*), 0) "
        f"AS observed FROM {{batch}} LEFT JOIN {known} AS known USING ({column}) "
        f"WHERE EXISTS (SELECT 1 FROM {table})"
    )
    return measure(sql, title, at_most=at_most, unit="share")
