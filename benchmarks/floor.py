"""The floor: the pipeline's job as one plain script, DuckDB SQL and scikit-learn, and tessera/text.

It reads the same exports with typed readers, follows the same rules (floor.sql), clusters as
`models/` does and writes the same tables to a DuckDB file and to Parquet. It has no ledger, no
quarantine, no gates, no tests, no segment names and no history: it is what the work itself costs.
It knows the demo company's exports only. Run as `python -m benchmarks.floor INBOX OUT
IDENTITIES`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.impute import SimpleImputer
from sklearn.metrics import pairwise_distances_chunked
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.floor_exports import CSV, DATED, JSON, KEYS, MOMENT, REQUIRED
from tessera.text.engine import open_engine
from tessera.text.scoring import describe

TREATMENTS = {
    "recency_days": "log",
    "frequency": "log",
    "monetary": "log",
    "engagement_score": "log",
    "tenure_days": "linear",
    "discount_share": "share",
    "mean_sentiment": "share",
}
K_RANGE, MIN_SHARE, SEED, STARTS = range(2, 11), 0.01, 42, 10
GAP_MINUTES, HALF_LIFE_DAYS = 30, 30
SEARCH_ROWS, SILHOUETTE_ROWS = 20_000, 10_000


class Clock:
    """Seconds of each part."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.parts[name] = round(time.perf_counter() - started, 3)


def read(connection: duckdb.DuckDBPyConnection, inbox: Path) -> None:
    """Exports → one typed table a kind, without repeated files and rows."""
    for table, (pattern, columns) in CSV.items():
        select = ", ".join(
            f"{name}::timestamp as {name}" if type_ == MOMENT else name
            for name, type_ in columns.items()
        )
        source = (
            f"read_csv({_files(inbox, pattern)}, columns={columns}, header=true, "
            "auto_detect=false, quote='\"', escape='\"', ignore_errors=true)"
        )
        _create(connection, table, select, source)
    for table, (pattern, columns, select) in JSON.items():
        source = (
            f"read_json({_files(inbox, pattern)}, format='newline_delimited', columns={columns}, "
            "ignore_errors=true)"
        )
        _create(connection, table, select, source)
    connection.execute(
        "update contacts set email = lower(email), handle = lower(ltrim(handle, '@'))"
    )


def _create(connection: duckdb.DuckDBPyConnection, table: str, select: str, source: str) -> None:
    connection.execute(
        f"create table {table} as select * from (select {select} from {source}) "
        f"where {REQUIRED[table]}"
    )
    if table not in KEYS:
        return
    key, newest = KEYS[table]
    # Only the few keys that repeat are sorted.
    connection.execute(
        f"""
        delete from {table} where rowid in (
            select rowid from (
                select rowid,
                       row_number() over (partition by {key} order by {newest}rowid desc) as n
                from {table} where hash({key}) in (
                    select hash({key}) from {table} group by 1 having count(*) > 1))
            where n > 1)
        """
    )


def _files(inbox: Path, pattern: str) -> list[str]:
    """Files of a pattern by name; a file that was sent twice, byte for byte, is read once."""
    first: dict[str, str] = {}
    for path in sorted(inbox.glob(pattern)):
        with path.open("rb") as stream:
            first.setdefault(hashlib.file_digest(stream, "sha256").hexdigest(), str(path))
    return list(first.values())


def newest_day(connection: duckdb.DuckDBPyConnection) -> str:
    """The day after the newest event of all exports."""
    newest = " union all ".join(f"select max({c}) as moment from {t}" for t, c in DATED.items())
    row = connection.execute(f"select (max(moment)::date + 1)::varchar from ({newest})").fetchone()
    assert row is not None
    return str(row[0])


def score_sentiment(connection: duckdb.DuckDBPyConnection) -> None:
    """The pipeline's own scores for each different text: the floor is of SQL, not of words."""
    texts = connection.sql(
        "select distinct text from posts where text is not null"
    ).to_arrow_table()
    said = describe(texts["text"], open_engine("lexicon"), jobs=os.cpu_count() or 1)
    connection.register("scored", texts.append_column("sentiment", said["sentiment"]))
    connection.execute("create table sentiments as select * from scored where text <> ''")


def prepare(frame: pd.DataFrame) -> np.ndarray:
    """Log of skewed amounts, winsorised, scaled, imputed; features that are all equal left out."""
    columns = []
    for name, treatment in TREATMENTS.items():
        values = frame[name].to_numpy(dtype="float64", na_value=np.nan)
        if np.isnan(values).all():
            continue
        if treatment == "log":
            values = np.sign(values) * np.log1p(np.abs(values))
        if treatment != "share":
            values = np.clip(values, *np.nanquantile(values, (0.01, 0.99)))
        if len(np.unique(values[~np.isnan(values)])) > 1:
            columns.append(values)
    scaled = StandardScaler().fit_transform(np.column_stack(columns))
    return np.ascontiguousarray(SimpleImputer(strategy="median").fit_transform(scaled))


def cluster(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """K-means for k = 2..10; centres, labels and silhouette of the k chosen.

    Chosen: the best silhouette; none with tiny clusters.
    """
    sample, seen = (_sample(len(rows), size) for size in (SEARCH_ROWS, SILHOUETTE_ROWS))
    centres, labels = {}, {}
    for k in K_RANGE:
        found = KMeans(k, n_init=STARTS, random_state=SEED).fit(rows[sample]).cluster_centers_
        if len(sample) < len(rows):
            found = KMeans(k, init=found, n_init=1, random_state=SEED).fit(rows).cluster_centers_
        centres[k], labels[k] = found, cdist(rows, found).round(9).argmin(axis=1)
    scores = silhouettes(rows[seen], [labels[k][seen] for k in K_RANGE])
    smallest = {k: np.bincount(labels[k], minlength=k).min() / len(rows) for k in K_RANGE}
    found = {k: score for k, score in zip(K_RANGE, scores, strict=True) if smallest[k] >= MIN_SHARE}
    chosen = max(found, key=lambda k: found[k])
    return centres[chosen], labels[chosen], found[chosen]


def silhouettes(rows: np.ndarray, labellings: list[np.ndarray]) -> list[float]:
    """Mean silhouette of each labelling; the distances are computed once for all."""
    hots = [(labels[:, None] == np.arange(labels.max() + 1)).astype(float) for labels in labellings]
    cuts = np.cumsum([hot.shape[1] for hot in hots])[:-1]
    stacked = np.hstack(hots)
    sums = np.vstack(
        list(
            pairwise_distances_chunked(
                rows, reduce_func=lambda chunk, _: chunk @ stacked, working_memory=64
            )
        )
    )
    found = []
    for labels, hot, to_clusters in zip(
        labellings, hots, np.split(sums, cuts, axis=1), strict=True
    ):
        sizes, index = hot.sum(axis=0), np.arange(len(rows))
        within = to_clusters[index, labels] / np.maximum(sizes[labels] - 1, 1)
        means = to_clusters / np.maximum(sizes, 1)
        means[index, labels] = np.inf
        nearest = means.min(axis=1)
        scores = (nearest - within) / np.maximum(np.maximum(within, nearest), 1e-300)
        found.append(float(np.where(sizes[labels] == 1, 0.0, scores).mean()))
    return found


def _sample(total: int, size: int) -> np.ndarray:
    if total <= size:
        return np.arange(total)
    return np.sort(np.random.default_rng(SEED).choice(total, size, replace=False))


def segment(connection: duckdb.DuckDBPyConnection) -> tuple[int, float]:
    """Cluster who has bought; returns k and silhouette."""
    frame = connection.sql(
        "select * from features.customer_features where frequency > 0 order by customer_id"
    ).df()
    with threadpool_limits(limits=1):  # as models/ does: the same sums in the same order
        rows = prepare(frame)
        centres, labels, silhouette = cluster(rows)
    nearest = np.partition(cdist(rows, centres), 1, axis=1)
    assigned = pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "segment_id": labels,
            "distance": nearest[:, 0],
            "confidence": 1 - nearest[:, 0] / nearest[:, 1],
        }
    )
    connection.register("assigned", assigned)
    connection.execute(SEGMENTS)
    return len(centres), silhouette


SEGMENTS = """
create schema segments;
create table segments.customer_segments as
select f.customer_id, f.as_of,
       coalesce('cluster-' || a.segment_id, 'without-purchase') as segment_id, a.distance,
       a.confidence, f.r_score, f.f_score, f.m_score, f.rfm_score, f.lifecycle_stage,
       f.recency_days, f.frequency, f.monetary
from features.customer_features f left join assigned a using (customer_id);
create table segments.segment_profiles as
select s.as_of, s.segment_id, count(*) as customers,
       count(*) / sum(count(*)) over () as customer_share,
       coalesce(sum(f.gross_revenue), 0) as gross_revenue,
       sum(f.gross_revenue)::double / sum(sum(f.gross_revenue)) over ()::double as revenue_share,
       median(s.recency_days) as median_recency_days, median(s.frequency) as median_frequency,
       median(s.monetary) as median_monetary, avg(f.engagement_score) as mean_engagement_score,
       avg(f.mean_sentiment) as mean_sentiment, avg(f.discount_share) as mean_discount_share,
       avg((f.lifecycle_stage in ('slipping', 'dormant'))::integer) as at_risk_share
from segments.customer_segments s join features.customer_features f using (customer_id)
group by s.as_of, s.segment_id;
create table segments.segment_history as
select customer_id, segment_id, as_of as valid_from, null::date as valid_to
from segments.customer_segments;
"""


def write_parquet(connection: duckdb.DuckDBPyConnection, out: Path) -> None:
    """The result tables once more as Parquet."""
    for table in ("customer_segments", "segment_profiles", "segment_history"):
        connection.execute(f"copy segments.{table} to '{out / table}.parquet'")
    connection.execute(f"copy features.customer_features to '{out}/customer_features.parquet'")


def run(
    inbox: Path,
    out: Path,
    identities: Path,
    memory_limit: str = "1500MB",
    threads: int = 2,
    as_of: str | None = None,
    key: str = "",
) -> dict[str, object]:
    """Do the whole job into `out` (floor.duckdb and Parquet); return what was found and seconds.

    Who is whom is not its job: `identities` is Parquet of the pipeline's `enriched.identities`.
    `key` makes the customers' pseudonyms: HMAC-SHA-256, at most 64 bytes.
    """
    out.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": threads,
    }
    with duckdb.connect(str(out / "floor.duckdb"), config=config) as connection:
        connection.execute("set timezone = 'UTC'")
        with clock.part("read"):
            read(connection, inbox)
        connection.execute("create table identities as from read_parquet($1)", [str(identities)])
        day = as_of or newest_day(connection)
        connection.execute(f"set variable as_of = timestamp '{day}'")
        connection.execute(f"set variable gap = {GAP_MINUTES}")
        connection.execute(f"set variable half_life = {HALF_LIFE_DAYS}")
        for name, pad in (("inner_key", 0x36), ("outer_key", 0x5C)):
            padded = bytes(byte ^ pad for byte in key.encode().ljust(64, b"\0"))
            connection.execute(f"set variable {name} = $1", [padded])
        with clock.part("sentiment"):
            score_sentiment(connection)
        with clock.part("features"):
            connection.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
        with clock.part("segments"):
            k, silhouette = segment(connection)
        with clock.part("write"):
            write_parquet(connection, out)
            connection.execute("checkpoint")
    return {"as_of": day, "k": k, "silhouette": silhouette, "seconds": clock.parts}


def main() -> None:
    """Parse the command line; print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inbox", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("identities", type=Path)
    parser.add_argument("--memory-limit", default="1500MB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--as-of", help="YYYY-MM-DD; by default the day after the newest event")
    told = parser.parse_args()
    found = run(
        told.inbox,
        told.out,
        told.identities,
        told.memory_limit,
        told.threads,
        as_of=told.as_of,
        key=os.environ.get("TESSERA_PSEUDONYM_KEY", ""),
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
