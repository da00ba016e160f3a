"""
### Features → segments → published

Finds outliers, fits the segments anew on the features of the run's day, judges the fit against the
ML model in use, puts every customer into a segment with the one that may, analyses behaviour,
applies the declared rules, builds the public tables, publishes them when the gates say yes (on a
PostgreSQL server too, when one is named), and writes the report. Until then readers keep the last
published tables and report.

**Params**: `as_of`, the day to build for; by default the end of the scheduled week, or the day
after the newest event when started by hand. **When it fails**: docs/runbooks/recluster_weekly.md.
"""

from __future__ import annotations

from airflow.sdk import chain, dag
from tessera_airflow.assets import SEGMENTS
from tessera_airflow.defaults import AS_OF_PARAM, DAG_ARGS, SCHEDULED_AS_OF, within
from tessera_airflow.operators import StepOperator


@dag(
    schedule="0 3 * * 1",
    params={"as_of": AS_OF_PARAM},
    tags={"segment", "weekly"},
    deadline=within(hours=8),
    doc_md=__doc__,
    **DAG_ARGS,
)
def recluster_weekly() -> None:
    chain(
        StepOperator(task_id="build_features", as_of=SCHEDULED_AS_OF),
        StepOperator(task_id="check_features", as_of=SCHEDULED_AS_OF),
        StepOperator(task_id="find_outliers", as_of=SCHEDULED_AS_OF),
        StepOperator(task_id="fit_segments", as_of=SCHEDULED_AS_OF),
        StepOperator(task_id="assign_segments", as_of=SCHEDULED_AS_OF),
        StepOperator(task_id="analyse_behaviour", as_of=SCHEDULED_AS_OF),
        StepOperator(task_id="apply_rules", as_of=SCHEDULED_AS_OF),
        StepOperator(task_id="build_segments", as_of=SCHEDULED_AS_OF),
        StepOperator(task_id="check_segments", as_of=SCHEDULED_AS_OF),
        StepOperator(task_id="publish", as_of=SCHEDULED_AS_OF, outlets=[SEGMENTS]),
        StepOperator(task_id="serve", as_of=SCHEDULED_AS_OF),
        StepOperator(task_id="write_report", as_of=SCHEDULED_AS_OF),
    )


recluster_weekly()
