"""What each step reads and writes, and how many rows it left in each table.

A name is a schema (all of its tables), a table, or a place that is no table: `inbox`, `published`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import duckdb

from tessera import sql
from tessera.ingest.kinds import KINDS

INBOX, PUBLISHED = "inbox", "published"
_RAW = {
    group: tuple(f"raw.{name}" for name, kind in KINDS.items() if kind.group == group)
    for group in ("crm", "clickstream", "social")
}
_CUSTOMERS = ("features.customer_features",)
_ML_MODELS = ("ml.models", "ml.champions", "ml.champion_segments")
READS: dict[str, tuple[str, ...]] = {
    **{f"load_{group}": (INBOX,) for group in _RAW},
    **{f"check_{group}": tables for group, tables in _RAW.items()},
    "build_staging": ("raw",),
    "resolve_identity": ("staging",),
    "score_texts": ("staging",),
    "find_topics": ("staging", "enriched.identities", "enriched.text_scores"),
    "find_communities": ("staging", "enriched.identities"),
    "restate_features": ("staging", "enriched"),
    "build_features": ("staging", "enriched"),
    "check_features": ("features",),
    "find_outliers": _CUSTOMERS,
    "fit_segments": (*_CUSTOMERS, "ml.customer_outliers"),
    "assign_segments": (*_CUSTOMERS, "ml.customer_outliers", *_ML_MODELS),
    "analyse_behaviour": ("intermediate", *_CUSTOMERS, "ml.assignments"),
    "apply_rules": (*_CUSTOMERS, "ml.assignments"),
    "build_segments": ("intermediate", "features", "enriched", "ml"),
    "check_segments": ("segments",),
    "publish": ("segments",),
    "serve": (PUBLISHED,),
    "write_report": ("segments", "ml", "ops.checks"),
}
WRITES: dict[str, tuple[str, ...]] = {
    **{f"load_{group}": (*tables, "quarantine", "ops.loads") for group, tables in _RAW.items()},
    **{f"check_{group}": ("ops.checks",) for group in _RAW},
    "build_staging": ("staging",),
    "resolve_identity": ("enriched.identities", "enriched.identity_doubts", "ops.identity_events"),
    "score_texts": ("enriched.text_scores",),
    "find_topics": (
        "enriched.topics", "enriched.topic_words", "enriched.text_topics", "enriched.topic_fits",
    ),
    "find_communities": ("enriched.network_nodes", "enriched.communities", "enriched.networks"),
    "restate_features": ("ml.restated_inputs",),
    "build_features": ("intermediate", "features"),
    "check_features": ("ops.checks",),
    "find_outliers": ("ml.customer_outliers", "ml.customer_imputed"),
    "fit_segments": ("ml.fits", "ml.fit_evidence", "ml.models"),
    "assign_segments": (
        "ml.assignments", "ml.assignment_inputs", "ml.moves", "ml.lineage", "ml.model_gates",
        "ml.champions", "ml.champion_segments", "ml.segment_names", "ml.segment_features",
        "ml.segment_members", "ml.segment_rules", "ml.customer_reasons", "ml.fit_scorecards",
        "ml.segment_scorecards", "ml.segment_separations", "ml.segment_maps", "ml.bias_audit",
        "ml.feature_proxies", "ops.model_events", "ops.checks",
    ),
    "analyse_behaviour": (
        "ml.journey_transitions", "ml.journey_steps", "ml.journey_paths", "ml.purchase_sequences",
        "ml.funnels", "ml.basket_rules", "ml.trends", "ml.trend_changes", "ml.found_events",
        "ml.event_ratios",
    ),
    "apply_rules": (
        "ml.customer_rules", "ml.rule_segments", "ml.rule_overlaps", "ml.trigger_states",
        "ml.triggers", "ml.trigger_events", "ml.customer_micro_segments", "ml.micro_segments",
    ),
    "build_segments": ("segments",),
    "check_segments": ("ops.checks",),
    "publish": (PUBLISHED,),
}  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """A step that has ended: how long it took, what it read, and the rows of what it wrote."""

    step: str
    as_of: date | None
    seconds: float
    summary: str
    read: tuple[str, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)


Tell = Callable[[Ended], None]


def tell_nobody(ended: Ended) -> None:
    """Nobody listens."""


def tables(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[str]:
    """The `schema.table` that the names stand for and that are there; views are none."""
    found = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where schema_name in ? or schema_name || '.' || table_name in ? order by all",
        [list(names), list(names)],
    ).fetchall()
    return [name for (name,) in found]


def read_by(connection: duckdb.DuckDBPyConnection, step: str) -> tuple[str, ...]:
    """What the step reads, tables by their names."""
    names = READS.get(step, ())
    places = [name for name in names if name in (INBOX, PUBLISHED)]
    return (*places, *tables(connection, names))


def record(
    connection: duckdb.DuckDBPyConnection, step: str, started_at: datetime
) -> dict[str, int]:
    """Count the rows of every table that the step writes, and keep them in `ops.step_tables`."""
    found = tables(connection, WRITES.get(step, ()))
    if not found:
        return {}
    counts = " union all ".join(
        f"select {sql.text(name)} as name, count(*) as rows from "
        + ".".join(sql.name(part) for part in name.split(".", 1))
        for name in found
    )
    connection.execute(
        f"insert into ops.step_tables select ?, ?, name, rows from ({counts})", [step, started_at]
    )
    return dict(
        connection.execute(
            "select table_name, row_count from ops.step_tables where step = ? and started_at = ?",
            [step, started_at],
        ).fetchall()
    )
