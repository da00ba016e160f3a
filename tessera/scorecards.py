"""Between `models/scorecard.py`, `models/fairness.py`, `models/maps.py` and the ml floor.

Judges the segments that stand in `ml.assignments` for the day, whoever put them there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from models.naming_rules import WITHOUT_PURCHASE_ID
from tessera import sql
from tessera.ingest.source import did_you_mean
from tessera.ml_floor import replace
from tessera.settings import Settings

if TYPE_CHECKING:
    from models.preparation import Matrix, Preparation
    from models.scorecard import Sampled

MAPPED_CUSTOMERS = 800
TABLES = (
    "fit_scorecards", "segment_scorecards", "segment_separations", "segment_maps", "bias_audit",
    "feature_proxies",
)  # fmt: skip


def judge(
    connection: duckdb.DuckDBPyConnection,
    preparation: Preparation,
    customers: pd.DataFrame,
    settings: Settings,
    as_of: date,
    stability: Mapping[str, float] | None = None,
) -> None:
    """Score and audit the day's segments and replace what the ml floor says of them.

    `customers` are features, one row each, with whatever `preparation` needs; `stability` is by
    segment_id. Raises ValueError for an attribute in audit.groups that is no feature.
    """
    from models.preparation import prepare
    from models.scorecard import sample_silhouettes

    members = _members(connection, as_of)
    clustered = members[members["segment_id"] != WITHOUT_PURCHASE_ID].reset_index(drop=True)
    ordered = clustered[["customer_id"]].merge(customers, on="customer_id", how="left")
    rows = prepare(preparation, ordered)
    seed = settings.segmentation.seed
    sampled = sample_silhouettes(rows, clustered["segment_id"], seed=seed)
    places, axes = _mapped(clustered, rows, sampled, preparation.used, seed)
    tables = {
        **_scores(clustered, sampled, stability or {}),
        "segment_maps": places,
        **_audited(connection, members, ordered, preparation.inputs, settings, as_of),
    }
    unsure = float((clustered["confidence"] < settings.audit.unsure_below).mean())
    tables["fit_scorecards"] = tables["fit_scorecards"].assign(
        model_id=clustered["model_id"].iloc[0], unsure_share=unsure, **axes
    )
    _write(connection, tables, as_of)


def _members(connection: duckdb.DuckDBPyConnection, as_of: date) -> pd.DataFrame:
    """Every customer of the day with her segment and what business looks at; ordered by id."""
    return connection.execute(MEMBERS, {"as_of": as_of}).df()


def _scores(
    clustered: pd.DataFrame, sampled: Sampled, stability: Mapping[str, float]
) -> dict[str, pd.DataFrame]:
    from models.scorecard import fit_scorecard, segment_scorecards, separations

    return {
        "fit_scorecards": pd.DataFrame([fit_scorecard(clustered, sampled)]),
        "segment_scorecards": segment_scorecards(clustered, sampled, stability),
        "segment_separations": separations(clustered),
    }


def _mapped(
    clustered: pd.DataFrame, rows: Matrix, sampled: Sampled, used: tuple[str, ...], seed: int
) -> tuple[pd.DataFrame, dict[str, float | str | None]]:
    """Places of some customers on the maps, with their silhouettes; and what the axes are."""
    from models.distances import sample_positions
    from models.maps import draw_maps

    some = sample_positions(len(sampled.positions), MAPPED_CUSTOMERS, seed)
    seen = sampled.positions[some]
    maps = draw_maps(rows[seen], used, seed)
    places = clustered.loc[seen, ["customer_id", "segment_id"]].assign(
        silhouette=sampled.silhouettes[some],
        pca_x=maps.pca[:, 0],
        pca_y=maps.pca[:, 1],
        tsne_x=maps.tsne[:, 0],
        tsne_y=maps.tsne[:, 1],
    )
    named = (*maps.axes, None, None)
    return places, {
        "map_explained_x": maps.explained[0],
        "map_explained_y": maps.explained[1],
        "map_feature_x": named[0],
        "map_feature_y": named[1],
    }


def _audited(
    connection: duckdb.DuckDBPyConnection,
    members: pd.DataFrame,
    clustered: pd.DataFrame,
    used: tuple[str, ...],
    settings: Settings,
    as_of: date,
) -> dict[str, pd.DataFrame]:
    from models.fairness import AuditParameters, audit, misread, proxies

    told = settings.audit
    parameters = AuditParameters(
        least_customers=told.least_customers,
        proxy_auc=told.proxy_auc,
        seed=settings.segmentation.seed,
    )
    groups = _groups(connection, told.groups, as_of)
    everybody = members.set_index("customer_id")
    known = clustered.set_index("customer_id").merge(
        groups, how="left", left_index=True, right_index=True, suffixes=("", "_of_group")
    )
    unsure = everybody["confidence"] < told.unsure_below
    errors = {
        "unsure": unsure.astype("boolean").where(everybody["confidence"].notna()),
        "misread": misread(
            known, used, everybody["segment_id"].loc[known.index], parameters
        ).reindex(everybody.index),
    }
    return {
        "bias_audit": audit(
            groups.reindex(everybody.index), everybody["segment_id"], errors, parameters
        ),
        "feature_proxies": proxies(known, told.groups, used, parameters),
    }


def _groups(
    connection: duckdb.DuckDBPyConnection, attributes: list[str], as_of: date
) -> pd.DataFrame:
    """Which group each customer is in, as far as it is known; guesses do not count."""
    known = [name for name, *_ in connection.sql("describe features.customer_features").fetchall()]
    for name in attributes:
        if name not in known:
            raise ValueError(
                f"audit.groups names {name!r}, which features.customer_features does not have"
                f"{did_you_mean(name, known)}. Mend [audit] in the settings"
            )
    named = ", ".join(f"{sql.name(n)}::varchar as {sql.name(n)}" for n in attributes)
    asked = f"customer_id, {named}" if named else "customer_id"
    return connection.execute(
        f"select {asked} from features.customer_features where as_of = ? order by customer_id",
        [as_of],
    ).df().set_index("customer_id")  # fmt: skip


def _write(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pd.DataFrame], as_of: date
) -> None:
    """All tables of the day in one transaction."""
    connection.execute("begin")
    try:
        for name, table in tables.items():
            connection.register(f"new_{name}", table)
        for name in TABLES:
            replace(connection, name, as_of, f"from new_{name}")
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    for name in tables:
        connection.unregister(f"new_{name}")


# Retained: bought in the last 90 days, asked of those who first bought before them.
MEMBERS = """
    with visits as (
        select customer_id, avg((purchases > 0)::integer) as conversion_rate
        from intermediate.int_web_sessions_assembled
        where customer_id is not null
        group by customer_id
    )
    select assigned.customer_id, assigned.segment_id, assigned.model_id, assigned.confidence,
        coalesce(features.gross_revenue, 0)::double as gross_revenue,
        features.average_order_value::double as average_order_value,
        case when features.has_web then visits.conversion_rate end as conversion_rate,
        case when features.first_order_at < $as_of::date - interval 90 days
            then (coalesce(features.revenue_last_90_days, 0) > 0)::integer end as is_retained,
        (features.lifecycle_stage in ('dormant', 'churned'))::integer as is_churned
    from ml.assignments as assigned
    join features.customer_features as features using (customer_id, as_of)
    left join visits using (customer_id)
    where assigned.as_of = $as_of
    order by assigned.customer_id
"""
