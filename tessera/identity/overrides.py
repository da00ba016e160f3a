"""What an operator says of two accounts goes before all that is computed; it can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

_STANDING = """
select o.override_id, o.action, o.account_l, o.account_r, o.recorded_at, o.recorded_by, o.reason
from ops.identity_overrides as o
where o.action <> 'undo'
    and o.override_id not in (select undoes from ops.identity_overrides where undoes is not null)
order by o.override_id
"""


class OverrideRefused(ValueError):
    """The operator's word cannot be taken; the message says why and what to do."""


@dataclass(frozen=True)
class Words:
    """Pairs of accounts that are always together, and that are never."""

    together: list[tuple[str, str]]
    apart: list[tuple[str, str]]


@dataclass(frozen=True)
class Override:
    """One standing word."""

    override_id: int
    action: str
    account_l: str
    account_r: str
    recorded_at: datetime
    by: str
    reason: str | None


def standing_overrides(connection: duckdb.DuckDBPyConnection) -> list[Override]:
    """Those that were not taken back, the first one first."""
    return [Override(*row) for row in connection.execute(_STANDING).fetchall()]


def standing(connection: duckdb.DuckDBPyConnection) -> Words:
    """The words that hold; also makes the temporary table identity_words of them."""
    connection.execute(f"create or replace temporary table identity_words as {_STANDING}")
    told = standing_overrides(connection)
    pairs = {
        action: [(o.account_l, o.account_r) for o in told if o.action == action]
        for action in ("merge", "split")
    }
    return Words(pairs["merge"], pairs["split"])


def say(
    connection: duckdb.DuckDBPyConnection,
    action: str,
    accounts: tuple[str, str],
    by: str,
    reason: str | None,
    now: datetime,
) -> int:
    """Record that two accounts are always (`merge`) or never (`split`) one; its number.

    Raises OverrideRefused where it says nothing or would contradict a standing word.
    """
    low, high = sorted(accounts)
    if low == high:
        raise OverrideRefused("these are one account: name two")
    told = standing_overrides(connection)
    for word in told:
        if (word.account_l, word.account_r) == (low, high):
            raise OverrideRefused(
                f"override {word.override_id} says {word.action} of them already; "
                f"`tessera identity undo {word.override_id}` takes it back"
            )
    _refuse_contradiction(told, action, low, high)
    return _append(connection, (action, low, high, None), by, reason, now)


def undo(
    connection: duckdb.DuckDBPyConnection,
    override_id: int,
    by: str,
    reason: str | None,
    now: datetime,
) -> Override:
    """Take a standing word back. Raises OverrideRefused where there is none of that number."""
    for word in standing_overrides(connection):
        if word.override_id == override_id:
            _append(
                connection, ("undo", word.account_l, word.account_r, override_id), by, reason, now
            )
            return word
    raise OverrideRefused(
        f"no standing override has the number {override_id}; `tessera identity report` lists them"
    )


def _append(
    connection: duckdb.DuckDBPyConnection,
    word: tuple[str, str, str, int | None],
    by: str,
    reason: str | None,
    now: datetime,
) -> int:
    row = connection.execute(
        "insert into ops.identity_overrides "
        "select coalesce(max(override_id), 0) + 1, ?, ?, ?, ?, ?, ?, ? from ops.identity_overrides "
        "returning override_id",
        [*word, now, by, reason],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _refuse_contradiction(told: list[Override], action: str, low: str, high: str) -> None:
    """Accounts that are merged, be it by way of others, cannot be kept apart, nor the reverse."""
    merges = [(w.account_l, w.account_r) for w in told if w.action == "merge"]
    merges += [(low, high)] if action == "merge" else []
    splits = [w for w in told if w.action == "split"]
    group = _together(merges)
    if action == "split" and group.get(low, low) == group.get(high, high):
        raise OverrideRefused("merges that stand make them one: undo those first")
    for word in splits:
        left, right = group.get(word.account_l), group.get(word.account_r)
        if left is not None and left == right:
            raise OverrideRefused(
                f"override {word.override_id} keeps them, or accounts merged with them, apart: "
                f"`tessera identity undo {word.override_id}` first"
            )


def _together(merges: list[tuple[str, str]]) -> dict[str, str]:
    """Each account of `merges` and the least account that it is merged with."""
    group: dict[str, str] = {}
    for left, right in merges:
        a, b = sorted((group.setdefault(left, left), group.setdefault(right, right)))
        group = {account: a if of == b else of for account, of in group.items()}
    return group
