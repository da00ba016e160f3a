"""What one run hands on to the next, `models.weeks.Week`, in tables and back.

A run for a day reads what the newest earlier day left, whatever came after, and replaces its own.
Only the features that were clustered are kept as they were known then, of the two newest days.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from models.naming_rules import WITHOUT_PURCHASE_ID
from tessera import sql
from tessera.champions import Champion

if TYPE_CHECKING:
    from models.clustering import FittedSegments
    from models.lineage import Lineage
    from models.weeks import Week

PLACED = (
    "customer_id", "segment_id", "nearest_segment_id", "second_segment_id", "distance",
    "second_distance", "confidence", "is_held", "since", "home",
)  # fmt: skip


def read(connection: duckdb.DuckDBPyConnection, champion: Champion, fitted: FittedSegments) -> Week:
    """The run of the champion's day, as that run left it."""
    from models.weeks import Week

    placed = connection.execute(
        f"select {', '.join(PLACED)} from ml.assignments "
        "where as_of = ? and segment_id <> ? order by customer_id",
        [champion.as_of, WITHOUT_PURCHASE_ID],
    ).df()
    return Week(
        champion.as_of,
        fitted,
        champion.ids,
        champion.newest_number,
        placed.astype({"since": "datetime64[s]"}),
        inputs(connection, champion.as_of),
    )


def inputs(connection: duckdb.DuckDBPyConnection, as_of: date) -> pd.DataFrame:
    """customer_id and the clustered features, as they were known to the run of that day."""
    return _wide(connection, f"ml.assignment_inputs where as_of = date '{as_of}'")


def has_inputs(connection: duckdb.DuckDBPyConnection, as_of: date) -> bool:
    """Whether what was known on that day is still kept."""
    found = connection.execute(
        "select 1 from ml.assignment_inputs where as_of = ? limit 1", [as_of]
    )
    return bool(found.fetchall())


def restated(connection: duckdb.DuckDBPyConnection, as_of: date) -> pd.DataFrame | None:
    """The same of the run before this day, as they are known now; None when none has changed."""
    found = _wide(connection, f"ml.restated_inputs where as_of = date '{as_of}'")
    return None if found.empty else found


def _wide(connection: duckdb.DuckDBPyConnection, rows: str) -> pd.DataFrame:
    """One row a customer, ascending, one column a feature."""
    names = connection.execute(f"select distinct feature from {rows} order by 1").fetchall()
    columns = [
        f"max(value) filter (feature = {sql.text(name)}) as {sql.name(name)}" for (name,) in names
    ]
    told = ", ".join(["customer_id", *columns])
    return connection.execute(f"select {told} from {rows} group by 1 order by 1").df()


def write_inputs(connection: duckdb.DuckDBPyConnection, known: pd.DataFrame, as_of: date) -> None:
    """Replace what was known on this day; of days before the newest earlier one nothing stays."""
    connection.execute("delete from ml.assignment_inputs where as_of = ?", [as_of])
    connection.execute(
        "delete from ml.assignment_inputs where as_of < "
        "(select max(as_of) from ml.champions where as_of < ?)",
        [as_of],
    )
    names = [c for c in known.columns if c != "customer_id"]
    if names:
        connection.execute(
            f"insert into ml.assignment_inputs select date '{as_of}', * "
            f"from ({long('known', names)}) order by customer_id, feature"
        )


def long(rows: str, features: list[str]) -> str:
    """SQL: customer_id, feature, value, a row for each of `rows` and feature, known or not."""
    values = ", ".join(f"{sql.name(name)}::double as {sql.name(name)}" for name in features)
    quoted = ", ".join(sql.name(name) for name in features)
    return (
        f"select customer_id, feature, value from (select customer_id, {values} from {rows}) "
        f"unpivot include nulls (value for feature in ({quoted}))"
    )


def take_over(
    connection: duckdb.DuckDBPyConnection, champion: Champion, fitted: FittedSegments
) -> Lineage:
    """Which cluster is which segment, of an ML model that follows one that cannot be opened.

    By where the last run put its customers, with what it knew of them: the champion is not asked.
    """
    from models.clustering import distances
    from models.lineage import match_segments, mean_positions
    from models.preparation import prepare

    known = inputs(connection, champion.as_of)
    rows = connection.execute(
        "select customer_id, segment_id from ml.assignments where as_of = ? and segment_id <> ?",
        [champion.as_of, WITHOUT_PURCHASE_ID],
    ).df()
    then = rows.set_index("customer_id")["segment_id"].reindex(known["customer_id"])
    found = distances(fitted, known)
    now = pd.Series(found.to_numpy().argmin(axis=1), index=found.index)
    places = prepare(fitted.preparation, known)
    return match_segments(
        then,
        now,
        mean_positions(places, then),
        mean_positions(places, now).reindex(range(fitted.k)),
        champion.newest_number,
    )
