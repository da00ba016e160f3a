"""What is wrong with a row: SQL conditions in the order in which they are reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tessera.ingest import sql
from tessera.ingest.kinds import SQL_TYPES, Kind

# Exports are written in other time zones and by clocks that run ahead.
FUTURE_TOLERANCE = timedelta(days=1)


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
        Check(
            f"{sql.name(name)} is not null and try_cast({sql.name(name)} as "
            f"{SQL_TYPES[column.type]}) is null",
            f"{name} is not a {column.type}",
            name,
        )
        for name, column in kind.columns.items()
        if column.type != "text" and name in mapped
    ]
    return [unreadable, *required, *casts, *_rules(kind, mapped, loaded_at, negative_price)]


def _rules(kind: Kind, mapped: set[str], loaded_at: datetime, negative_price: bool) -> list[Check]:
    rules = []
    if kind.event_at in mapped:
        latest = (loaded_at + FUTURE_TOLERANCE).strftime("%Y-%m-%d %H:%M:%S")
        rules.append(
            Check(
                f"try_cast({sql.name(kind.event_at)} as timestamp) > timestamp '{latest}'",
                f"{kind.event_at} is in the future",
                kind.event_at,
            )
        )
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
