"""Guesses of what is not known of many customers: `python -m benchmarks.imputation 1000000`.

Made-up customers whose age band and household size depend on how they buy; three in ten of each are
hidden. The three strategies, and as peers scikit-learn's SimpleImputer and, for the one number,
KNNImputer fitted on as many donors; each in a process of its own. How many hidden age bands are
guessed right (always naming the most frequent one would be the floor's share), and by how much
household sizes are wrong in the mean.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer, SimpleImputer
from threadpoolctl import threadpool_limits

from benchmarks import machine
from benchmarks.part import measure_part
from benchmarks.report import Figures
from models.imputation import LABELS, PREDICTORS, ImputationParameters, Strategy, impute

HIDDEN = 0.3
BANDS = np.array(["18-29", "30-39", "40-49", "50-59", "60-99"])
CAP_SECONDS, CAP_BYTES = 1_800, 8 * 1024**3
Truth = pd.DataFrame


def customers(count: int) -> tuple[pd.DataFrame, Truth]:
    """Customers with gaps, and the same without."""
    rng = np.random.default_rng(11)
    age, home = rng.normal(0, 1, count), rng.normal(0, 1, count)
    frame = pd.DataFrame({"customer_id": [f"c{n:09d}" for n in range(count)]})
    for place, name in enumerate(PREDICTORS):
        value = 0.8 * (age if place % 2 else home) + rng.normal(0, 0.6, count)
        is_share = PREDICTORS[name] == "share"
        frame[name] = 1 / (1 + np.exp(-value)) if is_share else np.exp(2 + 0.5 * value)
    truth = pd.DataFrame(
        {
            "household_size": np.clip(np.rint(2.5 + home), 1, 8).astype("int64"),
            **{name: BANDS[np.digitize(age, [-1, -0.3, 0.3, 1])] for name in LABELS},
        }
    )
    for name in truth.columns:
        known = pd.Series(truth[name]).astype("Int64" if name == "household_size" else "str")
        frame[name] = known.mask(rng.random(count) < HIDDEN)
    return frame, truth


def _ours(frame: pd.DataFrame, strategy: Strategy) -> pd.DataFrame:
    return impute(frame, ImputationParameters(strategy))


def _simple(frame: pd.DataFrame) -> pd.DataFrame:
    """Each column by itself."""
    number = SimpleImputer(strategy="median").fit_transform(
        frame[["household_size"]].astype("float64")
    )
    labels = frame[list(LABELS)].astype(object).where(frame[list(LABELS)].notna(), np.nan)
    told = SimpleImputer(strategy="most_frequent").fit_transform(labels)
    return pd.DataFrame(told, columns=list(LABELS)).assign(household_size=np.rint(number[:, 0]))


def _nearest(frame: pd.DataFrame) -> pd.DataFrame:
    """The number alone, by what scikit-learn has for it."""
    columns = [*PREDICTORS, "household_size"]
    rows = frame[columns].astype("float64")
    rows = (rows - rows.mean()) / rows.std()
    donors = rows.sample(min(len(rows), ImputationParameters().donors), random_state=42)
    found = KNNImputer(n_neighbors=5).fit(donors).transform(rows)[:, -1]
    size = frame["household_size"].astype("float64")
    return pd.DataFrame({"household_size": np.rint(found * size.std() + size.mean())})


PARTS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "median": lambda frame: _ours(frame, "median"),
    "knn": lambda frame: _ours(frame, "knn"),
    "iterative": lambda frame: _ours(frame, "iterative"),
    "SimpleImputer": _simple,
    "KNNImputer (the number alone)": _nearest,
}


def measure(part: str, count: int) -> dict[str, float | None]:
    """Seconds of a way, and how right it is where something was hidden."""
    frame, truth = customers(count)
    with threadpool_limits(limits=1):
        started = time.perf_counter()
        found = PARTS[part](frame)
        seconds = time.perf_counter() - started
    hidden = frame["household_size"].isna().to_numpy()
    sizes = found["household_size"].astype("float64").to_numpy()
    wrong = np.abs(sizes - truth["household_size"].to_numpy())[hidden].mean()
    right = None
    if "age_band" in found:
        hidden = frame["age_band"].isna().to_numpy()
        right = float((found["age_band"] == truth["age_band"]).to_numpy()[hidden].mean())
    return {"seconds": seconds, "right": right, "wrong": float(wrong)}


def rows_of(count: int) -> list[tuple[str, ...]]:
    """A row of the table for each way."""
    rows = []
    for part in PARTS:
        found, cost = measure_part(
            "imputation", "--part", part, str(count), cap_seconds=CAP_SECONDS, cap_bytes=CAP_BYTES
        )
        if found is None:
            rows.append((f"{count:,}: {part}", f"stopped by {cost.stopped}", "", "", ""))
            continue
        right = "" if found["right"] is None else f"{found['right']:.1%}"
        rows.append(
            (f"{count:,}: {part}", f"{found['seconds']:.1f}", f"{cost.peak_bytes / 1e9:.2f} GB",
             right, f"{found['wrong']:.2f}")
        )  # fmt: skip
    return rows


def main() -> None:
    """Measure each size, or one part in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation", description=__doc__)
    parser.add_argument("customers", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.part:
        print(json.dumps(measure(told.part[0], int(told.part[1]))))
        return
    rows: list[tuple[str, ...]] = []
    for count in told.customers:
        rows += rows_of(count)
    head = ("customers", "seconds", "peak memory", "hidden age bands right", "household size off")
    note = f"Load of the machine before: {machine.load():.1f}."
    figures = Figures("Imputation", note, head, rows)
    figures.show()


if __name__ == "__main__":
    main()
