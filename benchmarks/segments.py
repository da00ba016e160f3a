"""Segments week after week, and against the truth, beside plain ways.

`python -m benchmarks.segments weeks FOLDER --weeks 40`: UCI Online Retail's CSV files, run weekly
through the real steps; beside it, on the same features, the well-known grid of RFM quintiles and a
plain k-means (recency, frequency and monetary, standardised; k by the best silhouette) fitted anew
each week.

`python -m benchmarks.segments truth 5000`: the demo company, whose personas are known: the adjusted
Rand index (Hubert & Arabie 1985) of all sources, of orders only, and of the same plain k-means.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from rich.console import Console
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.report import Figures
from tessera import settings as settings_file
from tessera import warehouse
from tessera.demo.company import write
from tessera.privacy.pseudonym import define_function
from tessera.settings import Settings
from tessera.steps import LOADS, run_step

ROOT = Path(__file__).resolve().parents[1]
RETAIL = ROOT / "examples" / "online_retail" / "settings.toml"
LAST_WEEK = date(2011, 12, 5)  # a Monday; the export ends on the 9th
RFM = ["recency_days", "frequency", "monetary"]
ORDERS_ONLY = ("orders", "order_lines", "refunds", "products")
SEED = 42
# The grid of r and f scores that most handbooks print.
GRID = """
case when r_score >= 4 and f_score >= 4 then 'champions'
     when r_score >= 3 and f_score >= 4 then 'loyal'
     when r_score >= 4 and f_score >= 2 then 'potential loyalists'
     when r_score = 5 then 'new'
     when r_score = 4 then 'promising'
     when r_score = 3 and f_score = 3 then 'need attention'
     when r_score = 3 then 'about to sleep'
     when f_score = 5 then 'cannot lose'
     when f_score >= 3 then 'at risk'
     else 'hibernating' end
"""


def plain_kmeans(customers: pd.DataFrame, k: int | None = None) -> tuple[np.ndarray, int]:
    """Labels of k-means on standardised RFM, and k: given, or of the best silhouette of 2 to 10."""
    rows = StandardScaler().fit_transform(customers[RFM].astype("float64"))
    found = {}
    with threadpool_limits(limits=1):
        for each in [k] if k else range(2, 11):
            labels = KMeans(each, n_init=10, random_state=SEED).fit_predict(rows)
            score = silhouette_score(rows, labels, sample_size=5000, random_state=SEED)
            found[each] = (score, labels)
    best = max(found, key=lambda each: found[each][0])
    return found[best][1], best


def explained(customers: pd.DataFrame, groups: pd.Series) -> float:
    """Share of the variance of spend that lies between the groups (eta squared)."""
    spend = customers["monetary"].astype("float64")
    within = (spend - spend.groupby(groups.to_numpy()).transform("mean")) ** 2
    return float(1 - within.sum() / ((spend - spend.mean()) ** 2).sum())


def moved(then: pd.Series, now: pd.Series) -> float:
    """Share of those there both weeks who are in another group. Both: customer_id -> group."""
    both = then.index.intersection(now.index)
    return float((then[both] != now[both]).mean()) if len(both) else 0.0


def renumbered(then: pd.Series, now: pd.Series) -> pd.Series:
    """Give each group of now the number of then with which it shares most members, one to one."""
    both = then.index.intersection(now.index)
    table = pd.crosstab(now[both], then[both])
    rows, columns = linear_sum_assignment(table.to_numpy(), maximize=True)
    names = dict(zip(table.index[rows], table.columns[columns], strict=True))
    return now.map(lambda group: names.get(group, 1000 + group))


def weekly(told: Settings, weeks: int) -> Iterator[tuple[date, pd.DataFrame, pd.DataFrame]]:
    """Run week by week: the day, its customers (id, features, segment_id, grid), its moves."""
    for name in LOADS:
        run_step(name, told)
    for week in range(weeks):
        day = LAST_WEEK - timedelta(weeks=weeks - 1 - week)
        for step in ("fit_segments", "assign_segments"):
            run_step(step, told, day)
        with duckdb.connect(str(told.warehouse_file), read_only=True) as connection:
            customers = connection.execute(
                f"select f.*, a.segment_id, {GRID} as grid from features.customer_features f "
                "join ml.assignments a using (customer_id, as_of) "
                "where as_of = ? and frequency > 0 order by customer_id",
                [day],
            ).df()
            moves = connection.execute("from ml.moves where as_of = ?", [day]).df()
        yield day, customers.set_index("customer_id"), moves


def run_weeks(folder: Path, weeks: int) -> Iterator[Figures]:
    """The tables of a year of weekly runs."""
    rows: list[tuple[str, ...]] = []
    beside: list[dict[str, float]] = []
    last: dict[str, pd.Series] = {}
    with tempfile.TemporaryDirectory(prefix="tessera-segments-") as data:
        told = settings_file.load(RETAIL).model_copy(
            update={"data_dir": Path(data), "inbox": folder.resolve()}
        )
        for day, customers, moves in weekly(told, weeks):
            labels, k = plain_kmeans(customers)
            plain = pd.Series(labels, customers.index)
            now = {"Tessera": customers["segment_id"], "RFM quintiles": customers["grid"]}
            now["k-means, its own numbers"] = plain
            matched = "k-means, numbers matched"
            now[matched] = renumbered(last[matched], plain) if last else plain
            beside.append(_beside(customers, now, last, k))
            rows.append(_week_of(told, day, customers, moves, last))
            last = now
        yield Figures("Online Retail, week by week", "", WEEK_HEAD, rows)
        yield _compared(beside)
        yield _named(told)


WEEK_HEAD = (
    "as of", "customers", "segments in use", "silhouette of this week's fit", "its stability",
    "went live", "moved", "behaviour", "boundary", "correction",
)  # fmt: skip


def _week_of(
    told: Settings,
    day: date,
    customers: pd.DataFrame,
    moves: pd.DataFrame,
    last: dict[str, pd.Series],
) -> tuple[str, ...]:
    with duckdb.connect(str(told.warehouse_file), read_only=True) as connection:
        fit = connection.execute(
            "select silhouette, stability, model_id from ml.fits where as_of = ?", [day]
        ).fetchone()
        champion = connection.execute(
            "select model_id from ml.champions where as_of = ?", [day]
        ).fetchone()
    assert fit and champion, f"no fit of {day}"
    causes = moves["cause"].value_counts()
    share = moved(last["Tessera"], customers["segment_id"]) if last else 0.0
    return (
        day.isoformat(), f"{len(customers):,}", f"{customers['segment_id'].nunique()}",
        f"{fit[0]:.3f}", f"{fit[1]:.2f}", "yes" if champion[0] == fit[2] else "no",
        f"{share:.1%}", *(f"{causes.get(c, 0)}" for c in ("behaviour", "boundary", "correction")),
    )  # fmt: skip


def _beside(
    customers: pd.DataFrame, now: dict[str, pd.Series], last: dict[str, pd.Series], k: int
) -> dict[str, float]:
    told: dict[str, float] = {"k": k}
    for way, groups in now.items():
        told[f"{way} moved"] = moved(last[way], groups) if last else np.nan
        told[f"{way} explained"] = explained(customers, groups)
        told[f"{way} groups"] = groups.nunique()
    return told


def _compared(beside: list[dict[str, float]]) -> Figures:
    told = pd.DataFrame(beside)
    ways = [c.removesuffix(" moved") for c in told if c.endswith(" moved")]
    rows = [
        (way, f"{told[f'{way} groups'].min():.0f} to {told[f'{way} groups'].max():.0f}",
         f"{told[f'{way} moved'].mean():.1%}", f"{told[f'{way} moved'].max():.1%}",
         f"{told[f'{way} explained'].mean():.2f}")
        for way in ways
    ]  # fmt: skip
    head = ("way", "groups", "customers who move a week, mean", "most", "spend explained, mean")
    return Figures("Beside plain ways", "", head, rows)


def _named(told: Settings) -> Figures:
    with duckdb.connect(str(told.warehouse_file), read_only=True) as connection:
        rows = connection.execute(
            "select segment_id, string_agg(distinct segment_name, ', ' order by segment_name), "
            "count(distinct as_of)::varchar, min(as_of)::varchar, max(as_of)::varchar "
            "from ml.segment_names group by 1 order by 1"
        ).fetchall()
    return Figures("Names", "", ("segment", "names it bore", "weeks", "first", "last"), rows)


def truth(customers: int) -> Figures:
    """ARI of each way against the personas of the demo company."""
    with tempfile.TemporaryDirectory(prefix="tessera-truth-") as name:
        folder = Path(name)
        with warehouse.in_memory() as connection:
            write(connection, folder / "inbox", folder / "truth", customers, 730, SEED)
        told = settings_file.load(ROOT / "settings.toml")
        orders = {k: v for k, v in told.sources.items() if set(v.kinds) <= set(ORDERS_ONLY)}
        found = {
            "all sources": _segments(told, folder, "all", {}),
            "orders only": _segments(told, folder, "orders", {"sources": orders}),
        }
    rows = []
    for way, people in found.items():
        score = adjusted_rand_score(people["persona"], people["segment_id"])
        rows.append((f"Tessera, {way}", f"{people['segment_id'].nunique()}", f"{score:.3f}"))
    people = found["all sources"]
    for told_k in (None, *range(2, 11)):
        labels, k = plain_kmeans(people, told_k)
        way = "plain k-means, best silhouette" if told_k is None else f"plain k-means, k = {k}"
        rows.append((way, f"{k}", f"{adjusted_rand_score(people['persona'], labels):.3f}"))
    note = f"{customers:,} customers of six personas; {len(people):,} with a purchase are compared."
    return Figures("Against the truth of the demo", note, ("way", "groups", "ARI"), rows)


def _segments(told: Settings, folder: Path, name: str, changed: dict[str, Any]) -> pd.DataFrame:
    """One row per customer with a purchase: features, segment_id, persona."""
    data = {"data_dir": folder / name, "inbox": folder / "inbox"}
    told = told.model_copy(update={**data, **changed})
    for load in LOADS:
        run_step(load, told)
    for step in ("fit_segments", "assign_segments"):
        run_step(step, told)
    with duckdb.connect(str(told.warehouse_file), read_only=True) as connection:
        define_function(connection, told.key_file.read_text().strip())
        return connection.execute(
            f"""
            with people as (
                select i.customer_id, min(t.persona) as persona
                from '{folder / "truth"}/customers.parquet' as t
                join enriched.identities as i
                    on i.kind = 'account' and i.key = pseudonym('customer', t.customer_id)
                group by 1
            )
            select f.*, a.segment_id, people.persona
            from features.customer_features f
            join ml.assignments a using (customer_id, as_of)
            join people using (customer_id)
            where frequency > 0 order by customer_id
            """
        ).df()


def main() -> None:
    """Measure, print for people and as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.segments", description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    retail = parts.add_parser("weeks")
    retail.add_argument("folder", type=Path)
    retail.add_argument("--weeks", type=int, default=40)
    parts.add_parser("truth").add_argument("customers", type=int)
    told = parser.parse_args()
    tables = run_weeks(told.folder, told.weeks) if told.part == "weeks" else [truth(told.customers)]
    for figures in tables:
        Console().print(figures.for_terminal())
        print(figures.for_markdown())


if __name__ == "__main__":
    main()
