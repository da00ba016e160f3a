"""What a step that ended tells the log, the metrics and OpenLineage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import structlog
from airflow.sdk.observability.stats import Stats

if TYPE_CHECKING:
    from tessera.lineage import Ended

log = structlog.get_logger("tessera.steps")
# Namespaces of OpenLineage: a table of the warehouse, and the two places that are none.
WAREHOUSE = "duckdb://warehouse"
PLACES = {"inbox": "file://inbox", "published": "duckdb://published"}


def tell(ended: Ended) -> None:
    """One structured line in the task's log, and gauges (sent when metrics are switched on)."""
    log.info(
        "step ended", step=ended.step, as_of=str(ended.as_of), seconds=round(ended.seconds, 3),
        summary=ended.summary, rows=dict(ended.rows),
    )  # fmt: skip
    Stats.gauge(f"tessera.step_seconds.{ended.step}", ended.seconds)
    for table, rows in ended.rows.items():
        Stats.gauge(f"tessera.rows.{table}", rows)


def operator_lineage(steps: Sequence[Ended]) -> Any:
    """What a task's steps read and wrote, for Airflow's OpenLineage provider."""
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.generated.output_statistics_output_dataset import (
        OutputStatisticsOutputDatasetFacet,
    )

    rows = {table: count for ended in steps for table, count in ended.rows.items()}
    outputs = [
        OutputDataset(
            namespace=WAREHOUSE,
            name=table,
            outputFacets={"outputStatistics": OutputStatisticsOutputDatasetFacet(rowCount=count)},
        )
        for table, count in sorted(rows.items())
    ]
    published = [ended for ended in steps if ended.step == "publish"]
    outputs += [OutputDataset(PLACES["published"], "segments") for _ in published]
    return OperatorLineage(inputs=_inputs(name for e in steps for name in e.read), outputs=outputs)


def _inputs(names: Iterable[str]) -> list[Any]:
    from openlineage.client.event_v2 import InputDataset

    return [
        InputDataset(PLACES[name], "exports" if name == "inbox" else "segments")
        if name in PLACES
        else InputDataset(WAREHOUSE, name)
        for name in sorted(set(names))
    ]
