"""What the run was fed with: rows read and refused, and what the gates found."""

from __future__ import annotations

import duckdb

from tessera.charts.pipeline import by_fate
from tessera.charts.shown import Drawn, ask, first, titled

# By what was written last: a clock may go back.
LATEST = "qualify max(rowid) over (partition by step, as_of) = max(rowid) over (partition by step)"
CHECKS = f"""
    select count(*) as checks, count(*) filter (not success) as failed,
        count(*) filter (not success and severity = 'critical') as critical
    from (from ops.checks {LATEST})
"""
NUMBERS = f"""
    select source as what, rows_read::varchar || ' rows read' as found,
        rows_quarantined::varchar || ' refused' as of_them
    from (
        select source, sum(rows_read) as rows_read, sum(rows_quarantined) as rows_quarantined
        from ops.loads where status = 'loaded' group by source order by source
    )
    union all
    select 'Check: ' || title, table_name, observed
    from (from ops.checks {LATEST}) where not success
"""


def refusals(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Rows of each source: accepted and refused."""
    rows = ask(
        connection,
        f"""
        select source, fate, rows, found.checks, found.failed,
            sum(rows) filter (fate = 'refused') over () as refused, sum(rows) over () as rows_read
        from (
            select source, unnest(['accepted', 'refused']) as fate,
                unnest([sum(rows_read) - sum(rows_quarantined), sum(rows_quarantined)]) as rows
            from ops.loads where status = 'loaded' group by source
        ), ({CHECKS}) as found
        order by source, fate
        """,
        "no export was loaded",
    )
    told = first(rows)
    refused = f"{told['refused'] or 0:,} of {told['rows_read']:,} rows were refused"
    held = f"{told['checks'] - told['failed']} of {told['checks']} checks hold"
    return by_fate(rows, "accepted", titled(f"{refused}, each with its reason; {held}"))
