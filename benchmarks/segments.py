"""Segments week after week, and against the truth, beside plain ways.

`python -m benchmarks.segments weeks FOLDER --weeks 40`: UCI Online Retail's files, week by week:
features and outliers by the real steps, then fit, gates, assignment and names by the functions that
the steps call. Beside it, on the same features, the well-known grid of RFM quintiles and a plain
k-means (recency, frequency and monetary, standardised; k by the best silhouette) fitted anew each
week. `--features FOLDER` keeps each week's features there, and takes those that are there.

`python -m benchmarks.segments truth 5000`: the demo company, whose personas are known: the adjusted
Rand index (Hubert & Arabie 1985) of all sources, of orders only, and of the same plain k-means.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

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
from models.lineage import segment_order
from models.weeks import Outcome, advance
from tessera import assignments, dbt, fits, warehouse
from tessera import settings as settings_file
from tessera.demo.company import write
from tessera.privacy.pseudonym import define_function
from tessera.settings import Settings
from tessera.steps import LOADS, WORK, Run, run_step

ROOT = Path(__file__).resolve().parents[1]
RETAIL = ROOT / "examples" / "online_retail" / "settings.toml"
LAST_WEEK = date(2011, 12, 5)  # a Monday; the export ends on the 9th
RFM = ["recency_days", "frequency", "monetary"]
#: What the export's rows decide, and what the day does.
ONCE = ("build_staging", "score_texts", "find_topics", "find_communities")
WEEKLY = ("resolve_identity", "build_features", "find_outliers")
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


def features_by_week(told: Settings, weeks: int, kept: Path) -> Iterator[tuple[date, pd.DataFrame]]:
    """Each week's day and customers, as a fit reads them; kept as Parquet, and read if it is there.

    Nothing but what a day decides is made anew each week; dbt's own tests are asked elsewhere.
    """
    days = [LAST_WEEK - timedelta(weeks=weeks - 1 - week) for week in range(weeks)]
    files = {day: kept / f"{day}.parquet" for day in days}
    missing = [day for day in days if not files[day].exists()]
    build = partial(dbt.build, with_tests=False)
    with patch.object(dbt, "build", build):
        for name in LOADS if missing else ():
            run_step(name, told)
        for name in ONCE if missing else ():
            WORK[name](Run(told, LAST_WEEK, name))
        for day in days:
            if day in missing:
                half = files[day].with_suffix(".half")
                _features(told, day).to_parquet(half)
                half.rename(files[day])
            yield day, pd.read_parquet(files[day])


def _features(told: Settings, day: date) -> pd.DataFrame:
    for name in WEEKLY:
        WORK[name](Run(told, day, name))
    with warehouse.open_warehouse(told.warehouse_file) as connection:
        return fits.read_customers(connection, day)


@dataclass(frozen=True)
class Seen:
    """A week: its day, customers by id (with segment_id and grid), what the run found, names."""

    day: date
    customers: pd.DataFrame
    outcome: Outcome
    names: dict[str, str]


def weekly(told: Settings, frames: Iterable[tuple[date, pd.DataFrame]]) -> Iterator[Seen]:
    """Run week by week; each starts from what the one before handed on."""
    parameters, week, names = fits.week_parameters(told), None, {}
    for day, customers in frames:
        outcome = advance(week, customers, None, parameters, as_of=day)
        week = outcome.week
        placed = week.placed.set_index("customer_id")["segment_id"]
        found = assignments.name(told, customers, placed, {}, names)
        names = dict(zip(found["segment_id"], found["segment_name"], strict=True))
        grid = duckdb.sql(f"select customer_id, {GRID} as grid from customers").df()
        seen = customers.merge(grid, on="customer_id").set_index("customer_id")
        yield Seen(day, seen.assign(segment_id=placed), outcome, names)


def run_weeks(folder: Path, weeks: int, kept: Path | None) -> Iterator[Figures]:
    """The tables of a year of weekly runs; each week is told as it is done."""
    beside: list[dict[str, float]] = []
    last: dict[str, pd.Series] = {}
    rows, names = [], []
    with tempfile.TemporaryDirectory(prefix="tessera-segments-") as data:
        told = settings_file.load(RETAIL).model_copy(
            update={"data_dir": Path(data), "inbox": folder.resolve()}
        )
        for seen in weekly(told, features_by_week(told, weeks, kept or Path(data))):
            labels, k = plain_kmeans(seen.customers)
            plain = pd.Series(labels, seen.customers.index)
            now = {"Tessera": seen.customers["segment_id"], "RFM quintiles": seen.customers["grid"]}
            now["k-means, its own numbers"] = plain
            matched = "k-means, numbers matched"
            now[matched] = renumbered(last[matched], plain) if last else plain
            beside.append(_beside(seen.customers, now, last, k))
            rows.append(_week_of(seen, last))
            names += [(seen.day, *pair) for pair in seen.names.items()]
            print("| " + " | ".join(rows[-1]) + " |", flush=True)
            last = now
    yield Figures("Online Retail, week by week", "", WEEK_HEAD, rows)
    yield _compared(beside)
    yield _named(pd.DataFrame(names, columns=["as_of", "segment_id", "segment_name"]))


WEEK_HEAD = (
    "as of", "customers", "k of this week's fit", "its silhouette", "its stability", "went live",
    "segments in use", "moved", "behaviour", "boundary", "events",
)  # fmt: skip


def _week_of(seen: Seen, last: dict[str, pd.Series]) -> tuple[str, ...]:
    outcome, customers = seen.outcome, seen.customers
    fit, verdict = outcome.challenger, outcome.verdict
    assert fit is not None
    causes = outcome.moves["cause"].value_counts()
    share = moved(last["Tessera"], customers["segment_id"]) if last else 0.0
    events = outcome.lineage.events["event"].value_counts().drop("continued", errors="ignore")
    failed = verdict.reasons.loc[~verdict.reasons["passed"].astype(bool), "gate"]
    live = "equal" if verdict.is_equal else "yes" if verdict.is_promoted else "no: "
    return (
        seen.day.isoformat(), f"{len(customers):,}", f"{fit.k}", f"{fit.silhouette:.3f}",
        f"{fit.stability:.2f}", live + (", ".join(failed) if live == "no: " else ""),
        f"{customers['segment_id'].nunique()}", f"{share:.1%}",
        *(f"{causes.get(c, 0)}" for c in ("behaviour", "boundary")),
        ", ".join(f"{count} {event}" for event, count in events.items()) if last else "",
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


def _named(told: pd.DataFrame) -> Figures:
    rows = []
    for segment_id, named in told.groupby("segment_id"):
        bore = ", ".join(dict.fromkeys(named["segment_name"]))
        first, last = named["as_of"].min(), named["as_of"].max()
        rows.append((str(segment_id), bore, f"{len(named)}", f"{first}", f"{last}"))
    rows.sort(key=lambda row: segment_order(row[0]))
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
    retail.add_argument("--features", type=Path)
    parts.add_parser("truth").add_argument("customers", type=int)
    told = parser.parse_args()
    is_truth = told.part == "truth"
    for figures in (
        [truth(told.customers)] if is_truth else run_weeks(told.folder, told.weeks, told.features)
    ):
        Console().print(figures.for_terminal())
        print(figures.for_markdown())


if __name__ == "__main__":
    main()
