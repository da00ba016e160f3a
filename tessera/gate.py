"""The two gates: run the checks, keep what they found, show it, and say yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from expectations.checks import Suite
from expectations.page import RunFacts, render
from expectations.results import CheckResult
from tessera import runs
from tessera.settings import Settings

CHECK_COLUMNS = (
    "suite", "table_name", "expectation", "title", "severity", "success", "observed", "details",
)  # fmt: skip


def export_suites(connection: duckdb.DuckDBPyConnection, kinds: Sequence[str]) -> list[Suite]:
    """The data-in suite of each kind of which something was loaded."""
    from expectations.exports.suites import suite

    loaded = connection.execute(
        "select distinct kind from ops.loads where rows_loaded > 0 order by kind"
    ).fetchall()
    return [suite(kind) for (kind,) in loaded if kind in kinds]


def feature_suites(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Suite]:
    """The suite of the hand-off to ML, with what the floor before counted."""
    from expectations.segments.features import suite

    customers, revenue = connection.execute(
        """
        select (select count(*) from intermediate.int_customers_collected),
               (select coalesce(sum(gross_revenue), 0) from intermediate.int_order_revenue_balanced
                where destination = 'customers')
        """
    ).fetchall()[0]
    return [suite(as_of, customers, revenue)]


def check(settings: Settings, step: str, suites: Sequence[Suite], as_of: date) -> list[CheckResult]:
    """Run the suites with Great Expectations; the warehouse must be closed in this process."""
    from expectations.checkpoint import run

    # One folder a step: building Data Docs deletes the pages of other runs from its folder.
    data_docs = (data_docs_dir(settings) / step).resolve()
    return run(settings.warehouse_file, suites, data_docs, as_of)


def data_docs_dir(settings: Settings) -> Path:
    """Where the Data Docs of each gate lie, in a folder of the step's name."""
    return settings.artifacts_dir / "data_docs"


def record(
    connection: duckdb.DuckDBPyConnection, step: str, as_of: date, results: Sequence[CheckResult]
) -> None:
    """Keep the results of the step's latest run for this day in `ops.checks`."""
    connection.execute("delete from ops.checks where step = ? and as_of = ?", [step, as_of])
    if not results:
        return
    found = pd.DataFrame([[getattr(r, c) for c in CHECK_COLUMNS] for r in results])
    found.columns = pd.Index(CHECK_COLUMNS)
    connection.execute(
        f"insert into ops.checks select ?, ?, {', '.join(CHECK_COLUMNS)}, ? from found",
        [step, as_of, runs.now()],
    )


def results_of_fit(reasons: pd.DataFrame) -> list[CheckResult]:
    """What the gates of `models.judging` said of a fit, as checks: they warn, and stop nothing."""
    return [
        CheckResult(
            suite="ml.models",
            table_name="ml.models",
            expectation=row["gate"],
            title=f"This week's fit passes the gate {row['gate'].replace('_', ' ')}",
            severity="warning",
            success=bool(row["passed"]),
            observed=f"{row['observed']:.3f}",
            details=row["told"],
        )
        for row in reasons.to_dict("records")
    ]


# By what was written last: a clock may go back.
LATEST = "qualify max(rowid) over (partition by step, as_of) = max(rowid) over (partition by step)"


def failing(connection: duckdb.DuckDBPyConnection) -> str:
    """The critical checks that failed in the latest run of any gate, in one line; or nothing."""
    rows = connection.execute(
        f"select step, title from (from ops.checks {LATEST}) "
        "where severity = 'critical' and not success order by all limit 3"
    ).fetchall()
    return "; ".join(f"{title} ({step})" for step, title in rows)


def write_page(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> Path:
    """Render each gate's latest checks, the load balance and the quarantine as one HTML page."""
    columns = ", ".join(CHECK_COLUMNS)
    found = connection.execute(
        f"select step, {columns} from ops.checks {LATEST} order by checked_at, step, rowid"
    ).fetchall()
    results: dict[str, list[CheckResult]] = {}
    for step, *values in found:
        results.setdefault(step, []).append(CheckResult(*values))
    loads = _rows(
        connection,
        """
        select source, count(*) as files, sum(rows_read) as rows_read,
               sum(rows_loaded) as rows_loaded, sum(rows_quarantined) as rows_quarantined
        from ops.loads where status = 'loaded' group by source order by source
        """,
    )
    quarantine = _rows(
        connection,
        """
        select source, reason, column_name, count(*) as rows from quarantine.rows group by all
        union all
        select source, 'whole file ' || file || ': ' || reason, null, 1 from quarantine.files
        """,
    )
    pages = sorted(data_docs_dir(settings).glob("*/index.html"))
    links = {p.parent.name: f"../data_docs/{p.parent.name}/index.html" for p in pages}
    facts = RunFacts(as_of, settings.company, links)
    page = settings.artifacts_dir / "quality" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render(results, facts, loads, quarantine), encoding="utf-8")
    return page


def ask(settings: Settings, step: str, suites: Sequence[Suite], as_of: date) -> str:
    """Check, keep and show what was found; raise StepFailed when a critical check says no."""
    results = check(settings, step, suites, as_of)
    with runs.open_run_warehouse(settings) as connection:
        record(connection, step, as_of, results)
        page = write_page(connection, settings, as_of)
    told, stop = verdict(results)
    if stop:
        raise runs.StepFailed(f"{stop}. Nothing was published. All checks: {page}")
    return told


def require(connection: duckdb.DuckDBPyConnection) -> None:
    """The last word before publishing, whoever asks for it: no gate says no."""
    found = failing(connection)
    if found:
        raise runs.StepFailed(f"a gate says no: {found}. Nothing was published")


def verdict(results: Sequence[CheckResult]) -> tuple[str, str | None]:
    """One line of what was found, and why the run must stop, if it must."""
    stopping = [r for r in results if r.stops_the_run]
    warnings = sum(not r.success for r in results) - len(stopping)
    told = f"{len(results)} checks, {warnings} warnings"
    if not stopping:
        return told, None
    shown = "; ".join(f"{r.title} ({r.table_name}: {r.observed})" for r in stopping[:3])
    more = f"; and {len(stopping) - 3} more" if len(stopping) > 3 else ""
    return told, f"{shown}{more}"


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, object]]:
    return connection.sql(query).to_arrow_table().to_pylist()
