"""Do two warehouses describe every customer with the same figures? Column by column, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

TABLE = "features.customer_features"
#: The columns that are named one by one in the report; all others are compared as well.
NAMED = ("frequency", "monetary", "recency_days", "web_sessions", "engagement_score")


@dataclass(frozen=True)
class Agreement:
    """customers: in both tables. one_sided: in one only. differing: column → customers."""

    customers: int
    one_sided: int
    columns: int
    differing: dict[str, int]

    @property
    def is_full(self) -> bool:
        """Whether nothing at all differs."""
        return self.customers > 0 and not self.one_sided and not any(self.differing.values())


def compare(pipeline: Path, other: Path) -> Agreement:
    """Compare the features of two DuckDB files, which must both be closed: the columns of `other`.

    Doubles count as equal within a relative 1e-9 (sums of doubles depend on their order); whole
    numbers, money, dates and texts must be the same.
    """
    with duckdb.connect() as connection:
        connection.execute(
            f"attach '{pipeline}' as a (read_only); attach '{other}' as b (read_only)"
        )
        described = connection.execute(f"describe b.{TABLE}").fetchall()
        types = {name: type_ for name, type_, *_ in described if name != "customer_id"}
        sums = ", ".join(f"count(*) filter ({_differs(n, t)})" for n, t in types.items())
        row = connection.execute(
            f"""
            select count(*) filter (a.customer_id is not null and b.customer_id is not null),
                   count(*) filter (a.customer_id is null or b.customer_id is null), {sums}
            from a.{TABLE} a full join b.{TABLE} b on a.customer_id = b.customer_id
            """
        ).fetchone()
    assert row is not None
    return Agreement(row[0], row[1], len(types), dict(zip(types, row[2:], strict=True)))


def _differs(name: str, type_: str) -> str:
    if type_ != "DOUBLE":
        return f"a.{name} is distinct from b.{name}"
    return (
        f"(a.{name} is null) <> (b.{name} is null) "
        f"or abs(a.{name} - b.{name}) > 1e-9 * greatest(abs(a.{name}), 1)"
    )
