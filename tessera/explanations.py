"""Why segments are what they are, and why customers are in theirs.

Between `models/explaining.py`, `models/sql_rules.py` and the tables of the ml floor.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.profiles import PROFILE_FEATURES
from tessera.privacy.find import NobodyFound, find

if TYPE_CHECKING:
    from models.clustering import FittedSegments
    from models.explaining import Placement
    from models.weeks import Week

#: What all clustered customers have in common, as SQL: rules say it, so that they find nobody else.
CLUSTERED = '"frequency" > 0'

_TOLD = """
select
    reasons.customer_id, reasons.segment_name, reasons.segment_id, reasons.confidence,
    reasons.second_segment_name, reasons.why, reasons.as_of, profiles.description,
    profiles.suggested_action, profiles.suggested_channel, profiles.sql_rule,
    profiles.rule_fidelity, [
        struct_pack(feature := reason_1, figure := reason_1_value, share := reason_1_share),
        struct_pack(feature := reason_2, figure := reason_2_value, share := reason_2_share),
        struct_pack(feature := reason_3, figure := reason_3_value, share := reason_3_share)
    ] as reasons
from segments.customer_reasons as reasons
inner join segments.segment_profiles as profiles using (segment_id, as_of)
where reasons.customer_id in (select unnest($1))
order by reasons.customer_id
"""


def explain(
    connection: duckdb.DuckDBPyConnection, customers: pd.DataFrame, week: Week, as_of: date
) -> None:
    """Replace what the ml floor says of this day's segments and customers, in one transaction.

    `customers`: one row each, with customer_id and all features. Of the reasons of customers only
    those of the last run are kept.
    """
    from models.explaining import effect_sizes, explain_customers, members, set_apart
    from models.sql_rules import sql_rules

    placed = week.placed.sort_values("customer_id", ignore_index=True)
    customers = customers.set_index("customer_id").loc[placed["customer_id"]].reset_index()
    features = list(dict.fromkeys([*PROFILE_FEATURES, *_inputs(week.fitted)]))
    effects = effect_sizes(customers, placed["segment_id"], features)
    placement = place(week, customers, placed)
    rules = sql_rules(customers, placed["segment_id"], features, CLUSTERED)
    rules.insert(1, "set_apart", rules["segment_id"].map(set_apart(effects)))
    reasons = explain_customers(placement)
    reasons.insert(0, "customer_id", placed["customer_id"])
    connection.execute("begin")
    try:
        connection.execute("delete from ml.customer_reasons")
        _replace(connection, "segment_features", effects, as_of)
        _replace(connection, "segment_members", members(placed, placement.rows), as_of)
        _replace(connection, "segment_rules", rules, as_of)
        _replace(connection, "customer_reasons", reasons, as_of)
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def place(week: Week, customers: pd.DataFrame, placed: pd.DataFrame) -> Placement:
    """Where customers and centres stand by feature; `customers` and `placed` row by row the same.

    With principal components both are turned back to the features: an orthonormal rotation keeps
    differences of squared distances, so that the parts still add up.
    """
    from models.explaining import Placement
    from models.preparation import numeric_features, prepare

    fitted = week.fitted
    preparation, centres = fitted.preparation, fitted.clusterer.centres
    rows = prepare(preparation, customers)
    if preparation.components is not None:
        assert preparation.pipeline is not None
        inputs = numeric_features(customers, list(preparation.inputs))
        before = preparation.pipeline[:-1].transform(inputs)
        rows = before.to_numpy() - preparation.pipeline.named_steps["rotate"].mean_
        centres = centres @ preparation.components
    values = pd.DataFrame(rows, columns=list(preparation.used))  # of an index: what it is itself
    told = [name for name in preparation.used if name in customers.columns]
    values[told] = numeric_features(customers, told).to_numpy()
    return Placement(
        features=preparation.used,
        rows=rows,
        values=values.to_numpy(),
        centres={week.ids[cluster]: centre for cluster, centre in enumerate(centres)},
        own=placed["segment_id"],
        second=placed["second_segment_id"],
    )


def _inputs(fitted: FittedSegments) -> tuple[str, ...]:
    return fitted.preparation.inputs


def _replace(
    connection: duckdb.DuckDBPyConnection, table: str, rows: pd.DataFrame, as_of: date
) -> None:
    connection.execute(f"delete from ml.{table} where as_of = ?", [as_of])
    connection.register("explained", rows)
    connection.execute(
        f"insert into ml.{table} by name select ?::date as as_of, * from explained", [as_of]
    )
    connection.unregister("explained")


def told(connection: duckdb.DuckDBPyConnection, customer: str) -> list[RenderableType]:
    """What people read of a customer: by pseudonym, exported id, address, number or handle.

    Several where contacts share an address. Raises NobodyFound.
    """
    try:
        rows = _asked(connection, [customer.strip()])
    except duckdb.CatalogException:
        raise NobodyFound("there are no segments yet: run `make run` first") from None
    rows = rows or _asked(connection, [found.customer_id for found in find(connection, customer)])
    if not rows:
        raise NobodyFound(
            "the vault knows her, but the last run has put her into no segment: nothing of hers is "
            "dated before its day"
        )
    return [_one(row) for row in rows]


def _asked(connection: duckdb.DuckDBPyConnection, customers: list[str]) -> list[dict[str, Any]]:
    return connection.sql(_TOLD, params=[customers]).to_arrow_table().to_pylist()


def _one(row: dict[str, Any]) -> RenderableType:
    heading = Text.assemble((row["customer_id"], "bold"), f", as of {row['as_of']}")
    told = Table.grid(padding=(0, 2))
    lines = {
        "Segment": f"{row['segment_name']} ({row['segment_id']})",
        "How sure": _sure(row["confidence"]),
        "Second best": row["second_segment_name"] or "none",
        "Why": row["why"],
        "The segment": row["description"],
        "What to do": f"{row['suggested_action']} ({row['suggested_channel']})",
    }
    if row["sql_rule"]:
        lines["Its rule"] = (
            f"{row['sql_rule']}, true of {row['rule_fidelity']:.0%} of the customers"
        )
    for what, text in lines.items():
        told.add_row(Text(what, style="bold"), Text(text))
    return Group(heading, told, _reasons(row["reasons"]))


def _sure(confidence: float | None) -> str:
    """The margin in words and as a figure."""
    if confidence is None:
        return "she has bought nothing, so there is nothing to be unsure of"
    words = ("on the border", "rather", "clearly")[int(confidence >= 0.1) + int(confidence >= 0.5)]
    return f"{words}: hers is nearer than the second best by {confidence:.0%}"


def _reasons(reasons: list[dict[str, Any]]) -> RenderableType:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("What speaks for her segment")
    table.add_column("Her figure", justify="right")
    table.add_column("Share of all that speaks", justify="right")
    for reason in reasons:
        if reason["feature"]:
            figures = (f"{reason['figure']:,.2f}", f"{reason['share']:.0%}")
            table.add_row(reason["feature"].replace("_", " "), *figures)
    return table if table.row_count else Text("")
