"""The notebook: the same job as an analyst writes it down first, in pandas and scikit-learn.

For comparison only: everything in memory, plain groupbys and merges, k-means on all customers. It
leaves out: quarantine (broken lines and values become missing ones in silence), whose device or
e-mail it is, app use, support, surveys and campaigns, browse-to-buy time, favourites, lifecycle,
files sent twice, checks, names, history. Run as `python -m benchmarks.notebook INBOX OUT`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

SEED = 42
POINTS = {"Product Viewed": 2, "Product Added": 5, "Order Completed": 10}


def csv(inbox: Path, pattern: str) -> pd.DataFrame:
    files = sorted(inbox.glob(pattern))
    return pd.concat([pd.read_csv(f, dtype=str, on_bad_lines="skip") for f in files])


def json_lines(path: Path) -> pd.DataFrame:
    rows = []
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for line in lines:
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return pd.json_normalize(rows)


def jsonl(inbox: Path, pattern: str) -> pd.DataFrame:
    return pd.concat([json_lines(f) for f in sorted(inbox.glob(pattern))])


def moment(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")


def number(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce")


def purchases(inbox: Path, as_of: pd.Timestamp) -> pd.DataFrame:
    """Recency, frequency, monetary, tenure and discount share of each customer."""
    orders = csv(inbox, "shop/orders*").drop_duplicates("order_id", keep="last")
    orders["ordered_at"] = moment(orders["created_at"])
    orders = orders[(orders["is_test"] != "true") & (orders["ordered_at"] < as_of)]
    orders = orders[~orders["status"].isin(["cancelled", "voided", "failed"])]
    lines = csv(inbox, "shop/order_lines*").drop_duplicates(["order_id", "line"], keep="last")
    for column in ("quantity", "unit_price", "discount_amount"):
        lines[column] = number(lines[column])
    lines["listed"] = lines["quantity"] * lines["unit_price"]
    lines["amount"] = lines["listed"] - lines["discount_amount"].fillna(0)
    sold = lines[lines["amount"] > 0].merge(orders, on="order_id")
    refunds = csv(inbox, "shop/refunds*").drop_duplicates("refund_id").merge(orders, on="order_id")
    refunds["amount"] = number(refunds["amount"])
    grouped = sold.groupby("customer_id")
    found = pd.DataFrame(
        {
            "recency_days": (as_of - grouped["ordered_at"].max()).dt.days,
            "tenure_days": (as_of - grouped["ordered_at"].min()).dt.days,
            "frequency": grouped["order_id"].nunique(),
            "gross": grouped["amount"].sum(),
            "discount_share": grouped["discount_amount"].sum() / grouped["listed"].sum(),
        }
    )
    refunded = refunds.groupby("customer_id")["amount"].sum()
    found["monetary"] = found["gross"] - refunded.reindex(found.index).fillna(0)
    return found


def browsing(inbox: Path, as_of: pd.Timestamp) -> pd.DataFrame:
    """Sessions, engagement and abandonment of each customer."""
    events = jsonl(inbox, "web/events*").drop_duplicates("messageId", keep="last")
    events["at"] = moment(events["timestamp"])
    agents = events["context.userAgent"].fillna("").str.lower()
    events = events[~agents.str.contains("bot|crawl|spider|python-|curl/") & (events["at"] < as_of)]
    events = events.sort_values(["anonymousId", "at"])
    gap = events.groupby("anonymousId")["at"].diff() > pd.Timedelta(minutes=30)
    events["session"] = gap.groupby(events["anonymousId"]).cumsum()
    keys = ["anonymousId", "session"]
    events["userId"] = events.groupby(keys)["userId"].transform("first")
    age = (as_of - events["at"]).dt.days
    events["points"] = events["event"].map(POINTS).fillna(1) * 0.5 ** (age / 30)
    events["added"] = events["event"] == "Product Added"
    events["bought"] = events["event"] == "Order Completed"
    sessions = events.groupby(keys).agg(
        customer_id=("userId", "first"),
        points=("points", "sum"),
        added=("added", "any"),
        bought=("bought", "any"),
    )
    sessions["left"] = sessions["added"] & ~sessions["bought"]
    grouped = sessions.groupby("customer_id")
    return pd.DataFrame(
        {
            "web_sessions": grouped.size(),
            "engagement_score": grouped["points"].sum(),
            "cart_abandonment_rate": grouped["left"].sum() / grouped["added"].sum(),
        }
    )


def sentiment(inbox: Path) -> pd.DataFrame:
    """Mean VADER score of each customer's posts."""
    posts = jsonl(inbox, "social/posts*").dropna(subset=["text"]).drop_duplicates("id")
    analyzer = SentimentIntensityAnalyzer()
    posts["mean_sentiment"] = posts["text"].apply(lambda t: analyzer.polarity_scores(t)["compound"])
    contacts = csv(inbox, "crm/contacts*").drop_duplicates("contact_id", keep="last")
    owned = posts.merge(contacts, left_on="author_handle", right_on="social_handle")
    return owned.groupby("contact_id")[["mean_sentiment"]].mean()


def scores(customers: pd.DataFrame) -> pd.DataFrame:
    """RFM by quintiles of the rank: equal values may get different scores."""
    for letter, column in (("r", "recency_days"), ("f", "frequency"), ("m", "monetary")):
        ranks = customers[column].rank(method="first", ascending=letter != "r")
        customers[f"{letter}_score"] = pd.qcut(ranks, 5, labels=False) + 1
    return customers


def cluster(customers: pd.DataFrame) -> tuple[np.ndarray, int]:
    """K-means for k = 2..10 on all customers, the best silhouette wins (10,000 sampled)."""
    frame = customers[
        ["recency_days", "frequency", "monetary", "tenure_days", "discount_share",
         "engagement_score", "mean_sentiment"]
    ].astype(float)  # fmt: skip
    skewed = ["recency_days", "frequency", "monetary", "engagement_score"]
    frame[skewed] = np.log1p(frame[skewed].clip(lower=0))
    rows = StandardScaler().fit_transform(frame.fillna(frame.median()).fillna(0))
    best: tuple[float, int, np.ndarray] = (-1.0, 0, np.zeros(0))
    for k in range(2, 11):
        labels = KMeans(k, n_init=10, random_state=SEED).fit_predict(rows)
        seen = min(10_000, len(rows))
        score = silhouette_score(rows, labels, sample_size=seen, random_state=SEED)
        best = max(best, (float(score), k, labels), key=lambda found: found[0])
    return best[2], best[1]


def main() -> None:
    """Do the whole job; print seconds of each part as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inbox", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--as-of", required=True, help="YYYY-MM-DD")
    told = parser.parse_args()
    as_of = pd.Timestamp(told.as_of, tz="UTC")
    parts: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        done = work()
        parts[name] = round(time.perf_counter() - started, 3)
        return done

    customers = timed("purchases", lambda: purchases(told.inbox, as_of))
    customers = customers.join(timed("browsing", lambda: browsing(told.inbox, as_of)))
    customers = scores(customers.join(timed("sentiment", lambda: sentiment(told.inbox))))
    customers["segment"], k = timed("clustering", lambda: cluster(customers))
    told.out.mkdir(parents=True, exist_ok=True)
    customers.to_parquet(told.out / "customers.parquet")
    customers.groupby("segment").median(numeric_only=True).to_parquet(told.out / "segments.parquet")
    print(json.dumps({"customers": len(customers), "k": k, "seconds": parts}))


if __name__ == "__main__":
    main()
