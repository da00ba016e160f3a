"""A simulated company: customers of true groups, week by week, with the default features.

Orders are Poisson, baskets lognormal around each customer's own mean; a share is bought at a
discount, sessions fade, some write and some do not. Customers come and go every week. Frequency,
spend and engagement halve every few weeks, as with time decay, so that a company without any true
change looks the same for ever, while each of its customers trembles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

HALF_LIFE_WEEKS = 8
FADE = 0.5 ** (1 / HALF_LIFE_WEEKS)
#: What everybody buys every week, in orders: a little, so that nobody's figures fade to nothing.
SUBSCRIPTION = 0.1
KNOWN = ["customer_id", "recency_days", "frequency", "monetary", "tenure_days", "engagement_score",
         "mean_sentiment"]  # fmt: skip
SPENDING = ("frequency", "discounted", "monetary")


@dataclass(frozen=True)
class Group:
    """How customers of a true group behave: orders and sessions a week, mean basket, the rest."""

    share: float
    orders: float
    basket: float
    discount: float
    sessions: float
    sentiment: float
    weeks: int  # since the first order, on average
    spread: float = 0.3  # of the customers' own mean baskets, as the deviation of their logarithm


GROUPS = (
    Group(0.22, 1.5, 60, 0.05, 6.0, 0.6, 200),  # regulars
    Group(0.18, 0.9, 15, 0.80, 4.0, 0.0, 90),  # bargain hunters
    Group(0.13, 0.5, 200, 0.02, 1.0, 0.6, 90),  # spenders
    Group(0.12, 0.5, 20_000, 0.02, 1.0, 0.6, 90),  # big spenders
    Group(0.13, 0.10, 30, 0.45, 9.0, 0.0, 40),  # browsers
    Group(0.22, 0.015, 45, 0.05, 0.05, -0.6, 190),  # gone quiet
)


class Company:
    """Customers and their state; `week()` lets a week go by, `features()` tells what is known."""

    def __init__(self, customers: int, seed: int, groups: tuple[Group, ...] = GROUPS) -> None:
        self.rng = np.random.default_rng(seed)
        self.next_id = 0
        self.people = pd.DataFrame()
        self.groups = groups
        for group in groups:
            self.join(group, round(customers * group.share))

    def join(self, group: Group, count: int, newcomers: bool = False) -> pd.Index:
        """Customers of a group come, with the history that such customers have, or with none."""
        rng = self.rng
        weeks = (
            np.ones(count) if newcomers else (group.weeks * rng.uniform(0.8, 1.2, count)).round()
        )
        people = pd.DataFrame(
            {
                "customer_id": [f"C{self.next_id + i:06d}" for i in range(count)],
                "orders_a_week": group.orders * rng.lognormal(0, 0.15, count),
                "basket": group.basket * rng.lognormal(0, group.spread, count),
                "discount": np.clip(rng.normal(group.discount, 0.04, count), 0, 1),
                "sessions": group.sessions * rng.lognormal(0, 0.15, count),
                "tenure_days": 7.0 * weeks,
                "group": self.groups.index(group) if group in self.groups else -1,
            }
        )
        self.next_id += count
        seen = (1 - FADE**weeks) / (1 - FADE)
        orders = rng.poisson(people["orders_a_week"] * seen) + SUBSCRIPTION * seen
        people["frequency"] = np.maximum(orders, 1.0) if newcomers else orders
        people["discounted"] = people["frequency"] * people["discount"]
        people["monetary"] = people["frequency"] * people["basket"]
        people["engagement_score"] = rng.poisson(people["sessions"] * seen) * 1.0
        waited = rng.exponential(7 / people["orders_a_week"])
        people["recency_days"] = np.minimum(waited, people["tenure_days"]) // 1 + 1
        wrote = rng.random(count) < 0.9
        mood = np.tanh(rng.normal(group.sentiment, 0.15, count))
        people["mean_sentiment"] = np.where(wrote, mood, np.nan)
        people["is_late"] = False
        people = people.assign(**{f"withheld_{name}": 0.0 for name in SPENDING})
        people["withheld_recency_days"] = np.inf
        self.people = pd.concat([self.people, people], ignore_index=True)
        return pd.Index(people["customer_id"])

    def week(self, coming: float = 0.002, leaving: float = 0.002) -> None:
        """Let a week go by: orders, sessions, newcomers, and some who are never seen again."""
        people, rng = self.people, self.rng
        orders = rng.poisson(people["orders_a_week"])
        bought = orders + SUBSCRIPTION
        cheap = rng.binomial(orders, people["discount"]) + SUBSCRIPTION * people["discount"]
        flows = {
            "frequency": bought,
            "discounted": cheap,
            "monetary": bought * people["basket"] * rng.lognormal(0, 0.2, len(people)),
            "engagement_score": rng.poisson(people["sessions"]),
        }
        known = ~people["is_late"]
        for name, flow in flows.items():
            people[name] = people[name] * FADE + flow * (known | (name not in SPENDING))
        for name in SPENDING:
            people[f"withheld_{name}"] = people[f"withheld_{name}"] * FADE + flows[name] * ~known
        day = rng.integers(1, 8, len(people))
        for name, seen in (("recency_days", known), ("withheld_recency_days", ~known)):
            people[name] = np.where((orders > 0) & seen, day, people[name] + 7)
        people["tenure_days"] += 7
        stay = rng.random(len(people)) >= leaving
        self.people = people[stay].reset_index(drop=True)
        for group in self.groups:
            self.join(group, rng.poisson(coming * group.share * len(people)), newcomers=True)

    def change(self, members: pd.Index, group: Group) -> None:
        """From now on these customers behave like a group, and look as if they always had."""
        old = self.people["customer_id"].isin(members)
        made = Company(1, int(self.rng.integers(1 << 30)), (replace(group, share=int(old.sum())),))
        columns = [c for c in self.people.columns if c not in ("customer_id", "tenure_days")]
        for column in columns:
            self.people.loc[old, column] = made.people[column].to_numpy()

    def reprice(self, members: pd.Index, factor: float) -> None:
        """Prices of what these customers buy change, those of running contracts too."""
        theirs = self.people["customer_id"].isin(members)
        self.people.loc[theirs, ["basket", "monetary"]] *= factor

    def reveal(self) -> pd.Index:
        """What was withheld comes to light; says of whom."""
        people = self.people
        for name in SPENDING:
            people[name] += people[f"withheld_{name}"]
        people["recency_days"] = people[["recency_days", "withheld_recency_days"]].min(axis=1)
        late = pd.Index(people.loc[people["is_late"], "customer_id"])
        people["is_late"] = False
        return late

    def members(self, group: int, share: float) -> pd.Index:
        """Some of a group, drawn at random."""
        people = self.people[self.people["group"] == group]
        drawn = people.sample(frac=share, random_state=int(self.rng.integers(1 << 30)))
        return pd.Index(drawn["customer_id"])

    def features(self) -> pd.DataFrame:
        """What customer_features tells, one row a customer."""
        share = self.people["discounted"] / self.people["frequency"]
        return self.people[KNOWN].assign(discount_share=share)
