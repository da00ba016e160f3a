"""Explaining segments and customers: `python -m benchmarks.explaining 100000 1000000`.

Made-up customers in eight groups, the features of a profile; nothing is written. Naming, effect
sizes, members, rules in SQL, reasons; the floor of each is the same figure asked of pandas, numpy
or scikit-learn alone: medians by segment, one tree a segment, differences of squared distances.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from benchmarks import machine
from benchmarks.process import PEAK_UNIT
from models.explaining import Placement, effect_sizes, explain_customers, members
from models.naming import name_segments
from models.naming_rules import NAME_RULES
from models.profiles import PROFILE_FEATURES, profile_segments
from models.sql_rules import sql_rules

SEGMENTS = 8
FEATURES = list(PROFILE_FEATURES)


def placed(count: int) -> tuple[pd.DataFrame, Placement, pd.DataFrame]:
    """Customers with gaps in every other feature, and where they stand."""
    rng = np.random.default_rng(7)
    centres = rng.normal(0, 1.5, (SEGMENTS, len(FEATURES)))
    rows = centres[rng.integers(0, SEGMENTS, count)] + rng.normal(0, 1, (count, len(FEATURES)))
    distances = np.stack([np.linalg.norm(rows - centre, axis=1) for centre in centres], axis=1)
    two = np.argsort(distances, axis=1)[:, :2]
    near, next_best = np.take_along_axis(distances, two, axis=1).T
    keys = np.array([f"s{i + 1}" for i in range(SEGMENTS)], dtype="object")
    values = np.exp(rows)
    values[:, ::2][rng.random((count, len(FEATURES[::2]))) < 0.3] = np.nan
    frame = pd.DataFrame(values, columns=FEATURES)
    where = pd.DataFrame(
        {
            "customer_id": [f"c{n:08d}" for n in range(count)],
            "segment_id": keys[two[:, 0]],
            "second_segment_id": keys[two[:, 1]],
            "confidence": 1 - near / next_best,
        }
    )
    own, second = where["segment_id"], where["second_segment_id"]
    by_id = dict(zip(keys, centres, strict=True))
    return frame, Placement(FEATURES, rows, values, by_id, own, second), where


def _parts(
    frame: pd.DataFrame, placement: Placement, where: pd.DataFrame
) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    own = where["segment_id"].to_numpy()
    rows, centres = placement.rows, np.stack(list(placement.centres.values()))
    filled = frame.fillna(frame.median())

    def tree_each() -> None:
        for key in placement.centres:
            DecisionTreeClassifier(max_depth=3, random_state=42).fit(filled, own == key)

    def profile_and_name() -> object:
        return name_segments(profile_segments(frame, own), NAME_RULES, "EUR")

    return {
        "names": (profile_and_name, lambda: frame.groupby(own).median()),
        "effect sizes": (
            lambda: effect_sizes(frame, own, FEATURES),
            lambda: frame.rank().groupby(own).sum(),
        ),
        "members": (
            lambda: members(where, rows),
            lambda: where.sort_values(["segment_id", "confidence"]),
        ),
        "rules in SQL": (lambda: sql_rules(frame, own, FEATURES), tree_each),
        "reasons": (
            lambda: explain_customers(placement),
            lambda: [np.square(rows - centre) for centre in centres],
        ),
    }


def measure(count: int) -> None:
    """Rows of the table: seconds of ours and of the floor, peak memory so far."""
    for name, (ours, floor) in _parts(*placed(count)).items():
        seconds = [_seconds(work) for work in (ours, floor)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT / 1024**3
        told = f"{seconds[0]:.1f} | {seconds[1]:.1f} | {seconds[0] / seconds[1]:.1f} | {peak:.2f}"
        print(f"| {count:,} | {name} | {told} |", flush=True)


def _seconds(work: Callable[[], object]) -> float:
    clock = time.perf_counter()
    work()
    return time.perf_counter() - clock


def main() -> None:
    """Parse the command line, measure each size, print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explaining", description=__doc__)
    parser.add_argument("customers", type=int, nargs="*", default=[100_000, 1_000_000])
    machine.tell()
    print("\n| customers | part | s | floor s | ratio | peak GB so far |")
    print("|---|---|---|---|---|---|")
    for count in parser.parse_args().customers:
        measure(count)


if __name__ == "__main__":
    main()
