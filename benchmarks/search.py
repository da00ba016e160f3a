"""The search for segments, with stability: `python -m benchmarks.search 100000 1000000`.

Made-up customers of six kinds that overlap, with twenty features, k = 2 to 12. Beside ours, each in
a process of its own: plain scikit-learn, k-means with ten starts on all customers for every k
(floor), and its mini-batches (peer); neither measures stability, silhouettes of both are sampled
as ours are, and the best one picks. `agreement` is the adjusted Rand index with the floor.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks import machine
from benchmarks.process import Measured, run
from models.clusterers import NearestCentre
from models.clustering import assign, fit_segments
from models.distances import sample_positions
from models.evidence import choose, measure
from models.search_parameters import SearchParameters

FEATURES = 20
KINDS = 6
TOLD = SearchParameters(k_range=(2, 12))
CAP_SECONDS = 3_600.0
CAP_BYTES = 8 * 1024**3


def customers(count: int) -> pd.DataFrame:
    """Log-normal features; a kind shifts each by about one standard deviation."""
    rng = np.random.default_rng(11)
    shifts = rng.normal(0, 1.0, (KINDS, FEATURES))
    kind = rng.choice(KINDS, count, p=[0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
    values = np.exp(2 + 0.6 * (shifts[kind] + rng.normal(size=(count, FEATURES))))
    names = ["monetary", *(f"feature_{n}" for n in range(1, FEATURES))]
    frame = pd.DataFrame(values, columns=names)
    return frame.assign(customer_id=[f"c{n:08d}" for n in range(count)])


def ours(frame: pd.DataFrame) -> tuple[int, np.ndarray]:
    """k and labels of the whole search with stability."""
    treatments = dict.fromkeys(frame.columns.drop("customer_id"), "log")
    fitted = fit_segments(frame, treatments, TOLD)  # type: ignore[arg-type]
    return fitted.k, assign(fitted, frame)["cluster"].to_numpy()


def floor(frame: pd.DataFrame) -> tuple[int, np.ndarray]:
    """k and labels of k-means on all customers, ten starts for every k."""
    return _plain(frame, lambda k: KMeans(k, n_init=10, random_state=TOLD.seed))


def peer(frame: pd.DataFrame) -> tuple[int, np.ndarray]:
    """k and labels of k-means by mini-batches, ten starts for every k."""
    return _plain(frame, lambda k: MiniBatchKMeans(k, n_init=10, random_state=TOLD.seed))


def _plain(frame: pd.DataFrame, of: Callable[[int], KMeans]) -> tuple[int, np.ndarray]:
    rows = StandardScaler().fit_transform(np.log1p(frame.drop(columns="customer_id")))
    fits = [of(k).fit(rows) for k in range(TOLD.k_range[0], TOLD.k_range[1] + 1)]
    seen = sample_positions(len(rows), TOLD.search_rows, TOLD.seed)
    candidates = [NearestCentre(fit.cluster_centers_) for fit in fits]
    unknown = [np.full(len(c.centres), np.nan) for c in candidates]
    spend = frame["monetary"].to_numpy()[seen]
    evidence = choose(measure(rows[seen], candidates, unknown, spend, TOLD), TOLD)
    chosen = fits[int(evidence["is_chosen"].to_numpy().argmax())]
    return len(chosen.cluster_centers_), chosen.labels_


WAYS = {"ours, with stability": ours, "plain, all customers (floor)": floor, "mini-batches": peer}


def one(way: str, count: int, labels: Path) -> None:
    """Search by one way; write the labels, print seconds and k as JSON."""
    frame = customers(count)
    clock, processor = time.perf_counter(), time.process_time()
    with threadpool_limits(limits=1 if WAYS[way] is ours else None):
        k, found = WAYS[way](frame)
    told = {"seconds": time.perf_counter() - clock, "cpu": time.process_time() - processor, "k": k}
    np.save(labels, found)
    print(json.dumps(told))


def measured(count: int, folder: Path) -> list[tuple[str, ...]]:
    """A row of the table for every way, the floor first measured."""
    found: dict[str, tuple[Measured, dict, np.ndarray | None]] = {}
    for at, way in enumerate(WAYS):
        labels = folder / f"{at}.npy"
        command = [sys.executable, "-m", "benchmarks.search", "--one", way, "--labels", str(labels)]
        cost = run([*command, str(count)], folder / f"{at}.log", None, CAP_SECONDS, CAP_BYTES)
        told = {} if cost.stopped else json.loads(cost.output.splitlines()[-1])
        found[way] = cost, told, None if cost.stopped else np.load(labels)
    base = found["plain, all customers (floor)"]
    return [_row(count, way, *found[way], base[1], base[2]) for way in WAYS]


def _row(
    count: int,
    way: str,
    cost: Measured,
    told: dict,
    labels: np.ndarray | None,
    floor_told: dict,
    floor_labels: np.ndarray | None,
) -> tuple[str, ...]:
    if labels is None:
        return (f"{count:,}", way, f"stopped: {cost.stopped}", "", "", "", "", "")
    ratio = agreement = "unknown"
    if floor_labels is not None:
        ratio = f"{told['seconds'] / floor_told['seconds']:.2f}"
        agreement = f"{adjusted_rand_score(floor_labels, labels):.4f}"
    peak = f"{cost.peak_bytes / 1024**3:.2f}"
    figures = f"{told['seconds']:.1f}", f"{told['cpu']:.1f}"
    return (f"{count:,}", way, *figures, peak, str(told["k"]), ratio, agreement)


HEAD = ("customers", "search", "s", "processor s", "peak GB", "k", "÷ floor", "agreement")


def main() -> None:
    """Measure each size, print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("customers", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--labels", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.one:
        one(told.one, told.customers[0], told.labels)
        return
    machine.tell()
    print(f"Load of the machine before: {machine.load():.1f}. Aim: 120 s, 4 GB, agreement 0.98.")
    print(f"\n| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for count in told.customers:
        with tempfile.TemporaryDirectory(prefix="tessera-search-") as folder:
            for row in measured(count, Path(folder)):
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
