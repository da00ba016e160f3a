"""
### Exports of the business → raw

Loads what is new in the inbox of the sources of group `crm` (contacts, consents, orders, lines,
refunds, products, tickets, surveys, campaigns), then checks it at the door.

**Params**: none. **When it fails**: docs/runbooks/extract_crm.md.
"""

from __future__ import annotations

from airflow.sdk import dag
from tessera_airflow.assets import RAW_CRM
from tessera_airflow.defaults import DAG_ARGS, within
from tessera_airflow.operators import StepOperator


@dag(
    schedule="@daily",
    tags={"extract", "daily"},
    deadline=within(hours=3),
    doc_md=__doc__,
    **DAG_ARGS,
)
def extract_crm() -> None:
    load = StepOperator(task_id="load_crm")
    check = StepOperator(task_id="check_crm", outlets=[RAW_CRM])
    load >> check


extract_crm()
