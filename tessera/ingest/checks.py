"""What is wrong with a row: SQL conditions in the order in which they are reported."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from tessera import sql
from tessera.ingest.canonical import NO_SUCH_TIME
from tessera.ingest.kinds import SQL_TYPES, ColumnType, Kind
from tessera.ingest.source import Source

# Exports are written in other time zones and by clocks that run ahead.
FUTURE_TOLERANCE = timedelta(days=1)
# What is older is a default of some system: 0001-01-01, 1899-12-30, -infinity.
EARLIEST = "1900-01-01"
# Times that a plain cast reads rightly, at a third of what the cast that heeds zones costs.
PLAIN_TIMES = ("____-__-__ __:__:__", "____-__-__T__:__:__Z", "____-__-__T__:__:__.___Z")
# No place on Earth is 15 hours or more off UTC; DuckDB reads +99:00 all the same.
NO_OFFSET = r":\d\d(\.\d+)?\s*[+-](1[5-9]|[2-9]\d)(:?\d\d)?\s*$"


@dataclass(frozen=True)
class Check:
    """`condition` is true for a row that must go to quarantine."""

    condition: str
    reason: str
    column: str | None = None


def checks_of(
    kind: Kind,
    source: Source,
    mapped: Collection[str],
    loaded_at: datetime,
    currencies: Collection[str] | None,
) -> list[Check]:
    """All checks of a kind for the columns that the source fills.

    The conditions are over the kind's columns and `_at`, when the row happened, in UTC.
    `currencies` are those that have an exchange rate; None checks none.
    """
    nothing = " and ".join(
        f"coalesce({sql.name(c)}, '') = ''" for c in sorted({*mapped} - {*source.values})
    )
    unreadable = Check(nothing, "not a record: none of the mapped columns is there")
    required = [
        Check(_is_missing(c) if c in mapped else "true", f"{c} is missing", c)
        for c in kind.required
    ]
    choice = [c for c in kind.one_of if c in mapped]
    if kind.one_of:
        missing = " and ".join(_is_missing(c) for c in choice) or "true"
        required.append(Check(missing, f"{' and '.join(kind.one_of)} are missing", kind.one_of[0]))
    casts = [
        check
        for name, column in kind.columns.items()
        if column.type != "text" and name in mapped
        for check in _casts(name, column.type, source, kind.event_at)
    ]
    rules = _rules(kind, source, mapped, loaded_at, currencies)
    return [unreadable, *required, *casts, *rules]


def _is_missing(name: str) -> str:
    # Only text that begins with a blank needs to be trimmed, which is dear: hardly any does.
    column = sql.name(name)
    return f"({column} is null or ({column} < '!' and trim({column}) = ''))"


def _casts(name: str, type_: ColumnType, source: Source, event_at: str | None) -> list[Check]:
    checks = []
    if type_ == "timestamp" and source.timezone != "UTC":
        gap = f"{sql.name(name)} like {sql.text('%' + NO_SUCH_TIME)}"
        reason = f"{name} does not exist in {source.timezone}: the clocks went forward over it"
        checks.append(Check(gap, reason, name))
    return [*checks, Check(_does_not_cast(name, type_, event_at), f"{name} is not a {type_}", name)]


def _does_not_cast(name: str, type_: ColumnType, event_at: str | None) -> str:
    column = sql.name(name)
    value = (
        as_instant(column) if type_ == "timestamp" else f"try_cast({column} as {SQL_TYPES[type_]})"
    )
    finite = f" or not isfinite({value})" if type_ in ("double", "timestamp", "date") else ""
    return f"not {_is_missing(name)} and ({value} is null{finite})"


def as_instant(column: str) -> str:
    """SQL: the time in UTC as staging reads it, null when it is none.

    A plain cast would drop an offset, a zone, or any word that follows the time, in silence.
    """
    plain = " or ".join(f"{column} like '{spelling}'" for spelling in PLAIN_TIMES)
    return (
        f"case when {plain} then try_cast({column} as timestamp) "
        f"when regexp_matches({column}, '{NO_OFFSET}') then null "
        f"else timezone('UTC', try_cast(nullif(trim({column}), '') as timestamptz)) end"
    )


def _rules(
    kind: Kind,
    source: Source,
    mapped: Collection[str],
    loaded_at: datetime,
    currencies: Collection[str] | None,
) -> list[Check]:
    rules = []
    if kind.event_at and kind.event_at in mapped:
        latest = (loaded_at + FUTURE_TOLERANCE).strftime("%Y-%m-%d %H:%M:%S")
        for condition, what in (
            (f"_at > timestamp '{latest}'", "in the future"),
            (f"_at < timestamp '{EARLIEST}'", f"before {EARLIEST}"),
        ):
            rules.append(Check(condition, f"{kind.event_at} is {what}", kind.event_at))
    if "unit_price" in mapped and source.negative_price == "quarantine":
        negative = "try_cast(unit_price as decimal(18,4)) < 0"
        rules.append(Check(negative, "unit_price is negative", "unit_price"))
    if "currency" in mapped and currencies is not None:
        known = sql.texts(sorted(currencies))
        unknown = f"not list_contains({known}, upper(trim(currency))) and trim(currency) <> ''"
        rules.append(Check(unknown, "no exchange rate for this currency in [rates]", "currency"))
    return rules


def first_failed(checks: list[Check]) -> str:
    """CASE that numbers the first failed check from 1, null for a good row."""
    cases = " ".join(f"when {check.condition} then {i}" for i, check in enumerate(checks, 1))
    return f"case {cases} end"
