from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from models.fingerprint import fingerprint, frame_digest, model_id

MakeCustomers = Callable[..., pd.DataFrame]
FEATURES = ["recency_days", "monetary", "mean_sentiment"]
DAY = date(2025, 12, 31)


def test_digest_ignores_the_order_of_rows_and_numeric_types(make_customers: MakeCustomers) -> None:
    frame = make_customers(50)
    nullable = frame.sample(frac=1, random_state=1).astype(
        {"recency_days": "Int64", "mean_sentiment": "Float64"}
    )
    assert frame_digest(frame, FEATURES) == frame_digest(nullable, FEATURES)


def test_digest_ignores_the_sign_of_zero() -> None:
    frame = pd.DataFrame({"customer_id": ["a"], "monetary": [0.0]})
    negative = frame.assign(monetary=-0.0)
    assert frame_digest(frame, ["monetary"]) == frame_digest(negative, ["monetary"])


def test_digest_tells_values_ids_and_features_apart(make_customers: MakeCustomers) -> None:
    frame = make_customers(50)
    changed = frame.copy()
    changed.loc[7, "monetary"] = np.nextafter(changed.loc[7, "monetary"], 0)
    renamed = frame.assign(customer_id=frame["customer_id"].str.replace("C", "D"))
    digests = {
        frame_digest(frame, FEATURES),
        frame_digest(changed, FEATURES),
        frame_digest(renamed, FEATURES),
        frame_digest(frame, FEATURES[:2]),
    }
    assert len(digests) == 4


def test_model_id_depends_on_date_frame_and_parameters() -> None:
    ids = {
        model_id(DAY, "00", {"seed": 1}),
        model_id(DAY, "00", {"seed": 2}),
        model_id(DAY, "01", {"seed": 1}),
        model_id(date(2026, 1, 7), "00", {"seed": 1}),
    }
    assert len(ids) == 4
    assert all(len(name.removeprefix("kmeans-").rsplit("-", 1)[1]) == 12 for name in ids)


def test_parameters_count_whatever_their_order() -> None:
    one = fingerprint(DAY, "00", {"seed": 1, "k_range": (2, 10)})
    other = fingerprint(DAY, "00", {"k_range": [2, 10], "seed": 1})
    assert one == other
