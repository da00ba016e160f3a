"""
### Exports of web and app → raw

Loads what is new in the inbox of the sources of group `clickstream` (web and app events), then
checks it at the door.

**Params**: none. **When it fails**: docs/runbooks/extract_clickstream.md.
"""

from __future__ import annotations

from airflow.sdk import dag
from tessera_airflow.assets import RAW_CLICKSTREAM
from tessera_airflow.defaults import DAG_ARGS, within
from tessera_airflow.operators import StepOperator


@dag(
    schedule="@daily",
    tags={"extract", "daily"},
    deadline=within(hours=3),
    doc_md=__doc__,
    **DAG_ARGS,
)
def extract_clickstream() -> None:
    load = StepOperator(task_id="load_clickstream")
    check = StepOperator(task_id="check_clickstream", outlets=[RAW_CLICKSTREAM])
    load >> check


extract_clickstream()
