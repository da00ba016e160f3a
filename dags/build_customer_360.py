"""
### Raw → staging → enriched → features

Runs when any export was loaded: casts and de-duplicates, finds who is whom, reads new texts
(language, tone, signals), builds one row per customer and checks it. Where data came late, the
features of the last run are built again first, to tell a correction from a change.

**Params**: `as_of`, the day to build for; by default the day after the newest event.
**When it fails**: docs/runbooks/build_customer_360.md.
"""

from __future__ import annotations

from airflow.sdk import chain, dag
from tessera_airflow.assets import FEATURES, RAW_CLICKSTREAM, RAW_CRM, RAW_SOCIAL
from tessera_airflow.defaults import AS_OF, AS_OF_PARAM, DAG_ARGS, within
from tessera_airflow.operators import StepOperator


@dag(
    schedule=(RAW_CRM | RAW_CLICKSTREAM | RAW_SOCIAL),
    params={"as_of": AS_OF_PARAM},
    tags={"transform", "asset"},
    deadline=within(hours=4),
    doc_md=__doc__,
    **DAG_ARGS,
)
def build_customer_360() -> None:
    chain(
        StepOperator(task_id="build_staging", as_of=AS_OF),
        StepOperator(task_id="resolve_identity", as_of=AS_OF),
        StepOperator(task_id="score_texts", as_of=AS_OF),
        StepOperator(task_id="find_topics", as_of=AS_OF),
        StepOperator(task_id="find_communities", as_of=AS_OF),
        StepOperator(task_id="restate_features", as_of=AS_OF),
        StepOperator(task_id="build_features", as_of=AS_OF),
        StepOperator(task_id="check_features", as_of=AS_OF, outlets=[FEATURES]),
    )


build_customer_360()
