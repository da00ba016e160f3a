"""What is wrong with a row: SQL conditions in the order in which they are reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tessera.ingest import sql
from tessera.ingest.kinds import SQL_TYPES, ColumnType, Kind

# Exports are written in other time zones and by clocks that run ahead.
FUTURE_TOLERANCE = timedelta(days=1)
# What is older is a default of some system: 0001-01-01, 1899-12-30, -infinity.
EARLIEST = "1900-01-01"


@dataclass(frozen=True)
class Check:
    """`condition` is true for a row that must go to quarantine."""

    condition: str
    reason: str
    column: str | None = None


def checks_of(
    kind: Kind, mapped: set[str], loaded_at: datetime, *, negative_price: bool
) -> list[Check]:
    """All checks of a kind for the columns that the source maps."""
    required = [Check(f"{sql.name(c)} is null", f"{c} is missing", c) for c in kind.required]
    nothing = " and ".join(f"{sql.name(column)} is null" for column in sorted(mapped))
    unreadable = Check(nothing, "not a record: none of the mapped columns is there")
    casts = [
        Check(_does_not_cast(name, column.type), f"{name} is not a {column.type}", name)
        for name, column in kind.columns.items()
        if column.type != "text" and name in mapped
    ]
    return [unreadable, *required, *casts, *_rules(kind, mapped, loaded_at, negative_price)]


def _does_not_cast(name: str, type_: ColumnType) -> str:
    column = sql.name(name)
    value = f"try_cast({column} as {SQL_TYPES[type_]})"
    finite = f" or not isfinite({value})" if type_ == "double" else ""
    return f"{column} is not null and ({value} is null{finite})"


def _rules(kind: Kind, mapped: set[str], loaded_at: datetime, negative_price: bool) -> list[Check]:
    rules = []
    if kind.event_at in mapped:
        latest = (loaded_at + FUTURE_TOLERANCE).strftime("%Y-%m-%d %H:%M:%S")
        event = f"try_cast({sql.name(kind.event_at)} as timestamp)"
        for condition, what in (
            (f"{event} > timestamp '{latest}'", "in the future"),
            (f"{event} < timestamp '{EARLIEST}'", f"before {EARLIEST}"),
        ):
            rules.append(Check(condition, f"{kind.event_at} is {what}", kind.event_at))
    if "unit_price" in mapped and negative_price:
        rules.append(
            Check(
                "try_cast(unit_price as decimal(18,4)) < 0",
                "unit_price is negative",
                "unit_price",
            )
        )
    return rules


def first_failed(checks: list[Check]) -> str:
    """CASE that numbers the first failed check from 1, null for a good row."""
    cases = " ".join(f"when {check.condition} then {i}" for i, check in enumerate(checks, 1))
    return f"case {cases} end"
