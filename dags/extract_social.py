"""
### Exports of social networks → raw

Loads what is new in the inbox of the sources of group `social` (posts and follows), then checks
it at the door.

**Params**: none. **When it fails**: docs/runbooks/extract_social.md.
"""

from __future__ import annotations

from airflow.sdk import dag
from tessera_airflow.assets import RAW_SOCIAL
from tessera_airflow.defaults import DAG_ARGS, within
from tessera_airflow.operators import StepOperator


@dag(
    schedule="@daily",
    tags={"extract", "daily"},
    deadline=within(hours=3),
    doc_md=__doc__,
    **DAG_ARGS,
)
def extract_social() -> None:
    load = StepOperator(task_id="load_social")
    check = StepOperator(task_id="check_social", outlets=[RAW_SOCIAL])
    load >> check


extract_social()
