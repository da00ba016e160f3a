"""What an agreement says, learned from the records themselves, without labels.

The prior and u by Splink; m by EM over pairs that have something in common, a bounded number.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import duckdb
import numpy as np
from splink import Linker, block_on

from tessera.identity.em import learn_m
from tessera.identity.fields import FIELDS, GIVEN, Field, used_fields
from tessera.identity.scoring import Parameters, linker_of, settings_of, without_term_tables

SEED = 42
_U_PAIRS = 300_000  # random pairs from which u is estimated; a million find no more people
_EM_PAIRS = 100_000  # pairs of a block from which m is learned
_EM_BLOCK = 300  # records of one value at most: more tell of the value, not of people
_MIN_EM_PAIRS = 20  # fewer teach nothing: the other blocks, or the starting values, tell
_MIN_FILLED = 10  # records with a value, below which a field is left out
_RULE_RECALL = 0.7  # share of the true pairs that the sure rules find: sets the prior only
_DIGITS = 6  # of what is learned: sums in parallel differ in the last ones
# Blocks in which m is learned, each for the fields that are not in it.
_EM_BLOCKS = (
    ("last_name", "first_name"), ("birth_date",), ("email",), ("phone",), ("external_id",),
    ("postal_code", "last_name"), ("street",), ("handle",),
)  # fmt: skip
# What is nearly always one person; the prior is the share of such pairs.
_SURE_RULES = (
    ("external_id",), ("email",), ("handle",), ("last_name", "first_name", "birth_date"),
    ("phone", "first_name"),
)  # fmt: skip
Levels = list[dict[str, Any]]


def filled_fields(connection: duckdb.DuckDBPyConnection, records: str) -> tuple[Field, ...]:
    """The fields that tell records apart: filled in a few records, with two values at least."""
    counts = ", ".join(f"count({f.name}), approx_count_distinct({f.name})" for f in FIELDS)
    row = connection.execute(f"select {counts} from {records}").fetchall()[0]
    filled = {
        field.name
        for i, field in enumerate(FIELDS)
        if row[2 * i] >= _MIN_FILLED and row[2 * i + 1] > 1
    }
    return used_fields(filled)


def filled_columns(connection: duckdb.DuckDBPyConnection, contacts: str) -> list[str]:
    """The columns of contacts as they come that a few at least have."""
    counts = ", ".join(
        f"(select count(*) from (select 1 from {contacts} where {name} is not null "
        f"limit {_MIN_FILLED}))"
        for name in GIVEN
    )
    row = connection.execute(f"select {counts}").fetchall()[0]
    return [name for name, count in zip(GIVEN, row, strict=True) if count >= _MIN_FILLED]


def train(
    connection: duckdb.DuckDBPyConnection, records: str, fields: tuple[Field, ...]
) -> Parameters:
    """Learn u from random pairs and m by EM in several blocks; deterministic for its input.

    `records`: the normalised records.
    """
    linker = linker_of(connection, records, settings_of(fields))
    without_term_tables(linker, [field.name for field in fields])
    count = connection.table(records).shape[0]
    _learn_prior(linker, {field.name for field in fields}, count)
    linker.training.estimate_u_using_random_sampling(
        max_pairs=_U_PAIRS, seed=SEED, min_count_per_level=None, num_chunks=1
    )
    learned = linker.misc.save_model_to_json()
    linker.table_management.invalidate_cache()
    lowest_u = 1 / max(2 * min(count * (count - 1) / 2, _U_PAIRS), 2)
    levels = {
        field.name: _levels(comparison, lowest_u)
        for field, comparison in zip(fields, learned["comparisons"], strict=True)
    }
    prior = learned["probability_two_random_records_match"]
    _learn_m(connection, records, fields, levels, prior)
    _round([level for known in levels.values() for level in known])
    rounded = {"probability_two_random_records_match": float(f"{prior:.{_DIGITS}g}")}
    return Parameters(learned | rounded, count)


def _learn_prior(linker: Linker, names: set[str], count: int) -> None:
    rules: list[Any] = [block_on(*rule) for rule in _SURE_RULES if set(rule) <= names]
    with suppress(ValueError, IndexError, ZeroDivisionError):  # the bounds below hold
        linker.training.estimate_probability_two_random_records_match(rules, recall=_RULE_RECALL)
    pairs = max(count * (count - 1) / 2, 1)
    found = linker._settings_obj._probability_two_random_records_match
    bounded = min(max(found if rules else 0.0, 1 / pairs, 0.01 / max(count, 1)), 0.1)
    linker._settings_obj._probability_two_random_records_match = bounded


def _levels(comparison: dict[str, Any], lowest_u: float) -> Levels:
    """The levels of a comparison without null, best first, with a u that is not nought."""
    levels = [x for x in comparison["comparison_levels"] if not x.get("is_null_level")]
    for level in levels:
        level["u_probability"] = max(level.get("u_probability") or 0.0, lowest_u)
    return levels


def _learn_m(
    connection: duckdb.DuckDBPyConnection,
    records: str,
    fields: tuple[Field, ...],
    levels: dict[str, Levels],
    prior: float,
) -> None:
    """Put the median of what the blocks say of m into `levels`, where it can be."""
    told: dict[str, list[np.ndarray]] = {field.name: [] for field in fields}
    for block in _EM_BLOCKS:
        others = [f for f in fields if not {f.name, *f.also} & set(block)]
        if not set(block) <= set(levels) or not others:
            continue
        patterns, counts = _patterns(connection, records, block, others)
        if counts.sum() < _MIN_EM_PAIRS:
            continue
        shares = [_shares(levels[field.name]) for field in others]
        odds = prior / (1 - prior)
        for name in block:
            odds *= levels[name][0]["m_probability"] / levels[name][0]["u_probability"]
        m, u = [share[0] for share in shares], [share[1] for share in shares]
        found = learn_m(patterns, counts, m, u, odds / (1 + odds))
        for field, learned in zip(others, found, strict=True):
            told[field.name].append(learned)
    for field in fields:
        _take(levels[field.name], told[field.name])


def _shares(levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """m and u by degree of agreement: none first, the best last."""
    m, u = (
        np.array([level[name] for level in reversed(levels)])
        for name in ("m_probability", "u_probability")
    )
    return m, u


def _patterns(
    connection: duckdb.DuckDBPyConnection, records: str, block: tuple[str, ...], fields: list[Field]
) -> tuple[np.ndarray, np.ndarray]:
    """Degrees of agreement (patterns, fields) and how many pairs have them.

    Of pairs that share `block`, of as many of its values as give _EM_PAIRS pairs.
    """
    key, filled = ", ".join(block), " and ".join(f"{name} is not null" for name in block)
    connection.execute(
        f"create or replace temporary table identity_values as select {key}, "
        f"count(*)::double as n from {records} where {filled} group by {key} "
        f"having count(*) between 2 and {_EM_BLOCK}"
    )
    row = connection.execute("select sum(n * (n - 1) / 2) from identity_values").fetchall()[0]
    share = int(1e6 * min(1.0, _EM_PAIRS / max(row[0] or 0.0, 1.0)))
    columns = sorted({name for field in fields for name in (field.name, *field.also)})
    sides = ", ".join(f"{side}.{name} as {name}_{side}" for name in columns for side in "lr")
    degrees = ", ".join(f"{field.gamma} as gamma_{field.name}" for field in fields)
    found = connection.execute(
        f"select {degrees}, count(*) as pairs from (select {sides} from "
        f"(select {key} from identity_values where hash({key}) % 1000000 < {share}) as v "
        f"join {records} as l using ({key}) join {records} as r using ({key}) "
        "where l.record < r.record) group by all order by all"
    ).fetchnumpy()
    connection.execute("drop table temp.identity_values")
    patterns = np.column_stack([found[f"gamma_{field.name}"] for field in fields])
    return patterns.astype(int), np.asarray(found["pairs"], dtype=float)


def _take(levels: Levels, told: list[np.ndarray]) -> None:
    """Put what was learned into the levels, unless agreement would then speak against a pair."""
    starting = [level["m_probability"] for level in levels]
    if told:
        stacked = np.array(told)[:, ::-1]
        for i, level in enumerate(levels):
            known = stacked[~np.isnan(stacked[:, i]), i]
            if len(known):
                level["m_probability"] = float(np.median(known))
    if not told or not _plausible(levels):
        for level, m in zip(levels, starting, strict=True):
            level["m_probability"] = m


def _round(levels: Levels) -> None:
    for level in levels:
        for name in ("m_probability", "u_probability"):
            level[name] = float(f"{level[name]:.{_DIGITS}g}")


def _plausible(levels: Levels) -> bool:
    """Whether records of one person agree more often than others."""
    exact, other = levels[0], levels[-1]
    return bool(
        exact["m_probability"] > 2 * exact["u_probability"]
        and other["m_probability"] < other["u_probability"]
    )
