"""Outliers among many customers: `python -m benchmarks.outliers 100000 1000000`.

Twenty features of made-up customers, some of them planted; nothing is written.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd

from benchmarks import machine
from benchmarks.process import PEAK_UNIT
from models.outliers import find_outliers

FEATURES = 20
PLANTED = 0.001


def customers(count: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Log-normal features, and which customers were planted: four of their features tenfold."""
    rng = np.random.default_rng(7)
    values = np.exp(rng.normal(2, 0.6, (count, FEATURES)))
    planted = rng.random(count) < PLANTED
    values[planted, :4] *= 10
    frame = pd.DataFrame(values, columns=[f"feature_{n}" for n in range(FEATURES)])
    return frame.assign(customer_id=[f"c{n:08d}" for n in range(count)]), planted


def measure(count: int) -> str:
    """A row of the table: seconds, processor seconds, peak memory, what was found."""
    frame, planted = customers(count)
    treatments = dict.fromkeys(frame.columns.drop("customer_id"), "log")
    clock, processor = time.perf_counter(), time.process_time()
    flagged = find_outliers(frame, treatments)["is_outlier"].to_numpy()  # type: ignore[arg-type]
    seconds, cpu = time.perf_counter() - clock, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT / 1024**3
    found = (flagged & planted).sum() / max(planted.sum(), 1)
    others = (flagged & ~planted).sum() / max((~planted).sum(), 1)
    return f"| {count:,} | {seconds:.1f} | {cpu:.1f} | {peak:.2f} | {found:.1%} | {others:.2%} |"


def main() -> None:
    """Parse the command line, measure each size, print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outliers", description=__doc__)
    parser.add_argument("customers", type=int, nargs="*", default=[100_000, 1_000_000])
    machine.tell()
    print("\n| customers | s | processor s | peak GB | planted found | others flagged |")
    print("|---|---|---|---|---|---|")
    for count in parser.parse_args().customers:
        print(measure(count), flush=True)


if __name__ == "__main__":
    main()
