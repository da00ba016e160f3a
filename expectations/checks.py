"""The words suites are written in: a check, a suite, and one function per way of asking.

Nothing here imports Great Expectations (2.5 s), so suites can be read, listed and documented
cheaply; `expectations.validation` turns each check into the expectation it names.

SQL conditions see the columns of the suite's table. A literal brace in SQL must be doubled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning"]
Unit = Literal["rows", "share", "count", "number", "exceptions", "share of exceptions"]

CRITICAL: Severity = "critical"
WARNING: Severity = "warning"


@dataclass(frozen=True)
class Check:
    """One expectation, in the words of the business.

    `title` is the sentence that is true when the check passes; `expectation` is the name of a
    Great Expectations class and `arguments` are its own; `unit` says how to show the observed.
    """

    title: str
    severity: Severity
    expectation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    unit: Unit = "rows"


@dataclass(frozen=True)
class Suite:
    """The checks of one table, `schema.table`. Titles are unique within a suite."""

    name: str
    table: str
    checks: tuple[Check, ...]


def share_of_rows(condition: str) -> str:
    """Return SQL for the share (0-1) of rows that meet a condition; null without any row.

    Two statements in one: DuckDB counts a table without reading it, and a WHERE (unlike an
    aggregate's FILTER) lets it skip the blocks in which no value can meet the condition.
    """
    return (
        f"SELECT (SELECT count(*) FROM {{batch}} WHERE {condition})::DOUBLE "
        "/ nullif((SELECT count(*) FROM {batch}), 0) AS observed"
    )


def has_rows(title: str) -> Check:
    """The table holds at least one row. Critical."""
    return Check(title, CRITICAL, "ExpectTableRowCountToBeBetween", {"min_value": 1}, "count")


def present(column: str, title: str) -> Check:
    """No value of a column is missing. Critical."""
    return Check(title, CRITICAL, "ExpectColumnValuesToNotBeNull", {"column": column})


def unique(column: str, title: str) -> Check:
    """No value of a column appears twice. Critical."""
    return Check(title, CRITICAL, "ExpectColumnValuesToBeUnique", {"column": column})


def within(
    column: str,
    title: str,
    low: float | None = None,
    high: float | None = None,
    severity: Severity = CRITICAL,
) -> Check:
    """Each value that is there lies between two bounds, both allowed."""
    arguments = {"column": column, "min_value": low, "max_value": high}
    return Check(title, severity, "ExpectColumnValuesToBeBetween", arguments)


def one_of(
    column: str,
    values: Sequence[str],
    title: str,
    mostly: float = 1.0,
    severity: Severity = CRITICAL,
) -> Check:
    """At least a share `mostly` of the values that are there belong to a set."""
    arguments = {"column": column, "value_set": list(values), "mostly": mostly}
    return Check(title, severity, "ExpectColumnValuesToBeInSet", arguments)


def matches(
    column: str, pattern: str, title: str, mostly: float = 1.0, severity: Severity = CRITICAL
) -> Check:
    """At least a share `mostly` of the values that are there contain a regular expression.

    Values that do not match are shown in the result: for personal data ask `rarely` instead.
    """
    arguments = {"column": column, "regex": pattern, "mostly": mostly}
    return Check(title, severity, "ExpectColumnValuesToMatchRegex", arguments)


def measure(
    sql: str,
    title: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    severity: Severity = WARNING,
    unit: Unit = "number",
) -> Check:
    """A single value, selected by SQL from ``{batch}``, lies between two bounds.

    Null means that there was nothing to measure, and passes; write critical ones so that they
    cannot be null.
    """
    arguments = {"query": sql, "min_value": at_least, "max_value": at_most}
    return Check(title, severity, "ExpectMeasureToBeBetween", arguments, unit)


def portion(
    condition: str,
    title: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    severity: Severity = WARNING,
) -> Check:
    """The share (0-1) of rows that meet a condition lies between two bounds."""
    return measure(
        share_of_rows(condition),
        title,
        at_least=at_least,
        at_most=at_most,
        severity=severity,
        unit="share",
    )


def rarely(condition: str, title: str, at_most: float = 0.0, severity: Severity = WARNING) -> Check:
    """At most a share (0-1) of rows is an exception. Shows the share, never the values."""
    return measure(
        share_of_rows(condition),
        title,
        at_most=at_most,
        severity=severity,
        unit="share of exceptions",
    )


def never(condition: str, title: str, severity: Severity = CRITICAL) -> Check:
    """No row meets a condition. Shows how many do."""
    return counted(f"SELECT count(*) AS observed FROM {{batch}} WHERE {condition}", title, severity)


def counted(sql: str, title: str, severity: Severity = CRITICAL) -> Check:
    """SQL that counts what must not be finds nothing. Shows how many it found."""
    return measure(sql, title, at_most=0, severity=severity, unit="exceptions")
