"""Ids that stay: which customer id each cluster has, given what its accounts were called before.

Every account is born with its own pseudonym as id. A cluster goes by the id of one member; which
one is decided by the ledger of events alone, so that new links, other orders and new runs change
nothing that need not change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

Age = tuple[int, str, str]  # (day of birth in the ledger, created_at, key): less is elder


@dataclass(frozen=True)
class Account:
    """An account of a cluster. `held`: the ids it had before, the latest last; empty: it is new."""

    key: str
    age: Age
    held: tuple[str, ...] = ()

    @property
    def current(self) -> str | None:
        """The id it has up to now."""
        return self.held[-1] if self.held else None


@dataclass
class _Claims:
    """Who may have an id: whoever has the account that was born with it, else the eldest holder."""

    cluster_of: dict[str, str]
    claims: dict[str, dict[str, Age]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, wanted: str, cluster: str, age: Age) -> None:
        known = self.claims[wanted].get(cluster)
        self.claims[wanted][cluster] = min(known, age) if known else age

    def owner(self, wanted: str) -> str:
        """The cluster that the id belongs to."""
        at_home = self.cluster_of.get(wanted)
        claimed = self.claims[wanted]
        return min(claimed, key=lambda c: claimed[c]) if at_home is None else at_home


def name_clusters(
    clusters: dict[str, list[Account]],
    born: dict[str, Age],
    elsewhere: dict[str, str] | None = None,
) -> dict[str, str]:
    """The id of each cluster, no two alike.

    `born`: the age of every id that any account ever had. `elsewhere`: accounts of clusters that
    are not asked about, whose ids are therefore not free. A cluster keeps the id its accounts had,
    of several the elder; where another cluster has a better right to it, the latest one that they
    had before and that is free; else the birth id of its eldest account.
    """
    cluster_of = dict(elsewhere or {})
    cluster_of |= {account.key: c for c, members in clusters.items() for account in members}
    now = _Claims(cluster_of)
    for cluster, members in clusters.items():
        for account in members:
            if account.current:
                now.add(account.current, cluster, account.age)
    owned: dict[str, list[str]] = defaultdict(list)
    for wanted in now.claims:
        owned[now.owner(wanted)].append(wanted)
    named = {
        c: min(ids, key=lambda known: born[known]) for c, ids in owned.items() if c in clusters
    }
    homeless = {c: members for c, members in clusters.items() if c not in named}
    _name_anew(homeless, named, born, cluster_of)
    return named


def _name_anew(
    homeless: dict[str, list[Account]],
    named: dict[str, str],
    born: dict[str, Age],
    cluster_of: dict[str, str],
) -> None:
    """Give clusters without an id the latest one they had before that is free, or a birth id."""
    taken = set(named.values())
    by_age = sorted(homeless, key=lambda c: min(account.age for account in homeless[c]))
    for cluster in by_age:
        members = homeless[cluster]
        wishes = list(_former(members, born)) + [a.key for a in sorted(members, key=_age)]
        free = (
            wish
            for wish in wishes
            if wish not in taken and cluster_of.get(wish, cluster) == cluster
        )
        named[cluster] = next(free)
        taken.add(named[cluster])


def _former(members: list[Account], born: dict[str, Age]) -> Iterable[str]:
    """Ids that members had before, the latest first; of equals, the elder."""
    steps: dict[str, int] = {}
    for account in members:
        for back, known in enumerate(reversed(account.held)):
            steps[known] = min(back, steps.get(known, back))
    return sorted(steps, key=lambda known: (steps[known], born[known]))


def _age(account: Account) -> Age:
    return account.age
