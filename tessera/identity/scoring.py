"""Match weights of pairs of records: Fellegi & Sunter (1969) by Splink, learned without labels."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.comparison_level_library import CustomLevel, ElseLevel
from splink.internals.comparison_library import CustomComparison
from splink.internals.waterfall_chart import records_to_waterfall_data

from tessera.identity.fields import FIELDS, Field, Level, used_fields

SEED = 42
_U_PAIRS = 300_000  # random pairs from which u is estimated; a million find no more people
_EM_PAIRS = 100_000  # pairs of a block from which m is learned
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


@dataclass(frozen=True)
class Parameters:
    """What was learned: Splink's settings, from how many records."""

    splink: dict[str, Any]
    records: int

    def to_json(self) -> str:
        """As text, always the same for the same parameters."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Parameters:
        """The way back from `to_json`."""
        return cls(**json.loads(text))

    @property
    def field_names(self) -> list[str]:
        """The fields that are compared."""
        return [c["output_column_name"] for c in self.splink["comparisons"]]


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


def train(
    connection: duckdb.DuckDBPyConnection, records: str, fields: tuple[Field, ...]
) -> Parameters:
    """Learn u from random pairs and m by EM in several blocks; deterministic for its input.

    `records`: the normalised records with their term frequencies.
    """
    linker = _linker(connection, records, _settings(fields))
    _without_term_tables(linker, [field.name for field in fields])
    count = connection.table(records).shape[0]
    names = {field.name for field in fields}
    _learn_prior(linker, names, count)
    linker.training.estimate_u_using_random_sampling(
        max_pairs=_U_PAIRS, seed=SEED, min_count_per_level=None, num_chunks=1
    )
    for block in _EM_BLOCKS:
        if not set(block) <= names or len(names) == len(block):
            continue
        if _pairs_in_block(connection, records, block) >= _MIN_EM_PAIRS:
            _learn_m(linker, block)
    learned = linker.misc.save_model_to_json()
    linker.table_management.invalidate_cache()
    return Parameters(_completed(learned, fields, count), count)


def score(
    connection: duckdb.DuckDBPyConnection,
    parameters: Parameters,
    records: str,
    pairs: str,
    scores: str,
    lowest_weight: float,
) -> None:
    """Make the table `scores` of the pairs that weigh `lowest_weight` at least.

    Columns: record_l < record_r, match_weight (log2 of the odds that they are one person),
    gamma_<field> (degree of agreement, 0 for none, -1 for unknown).
    """
    linker = _linker(connection, records, parameters.splink)
    _without_term_tables(linker, parameters.field_names)
    linker.table_management.register_blocked_pairs_for_predict(linker._db_api.register(pairs))
    told = linker.inference.predict(threshold_match_weight=lowest_weight, warning_mode="never")
    gammas = ", ".join(f"gamma_{name}" for name in parameters.field_names)
    connection.execute(
        f"create or replace temporary table {scores} as "
        "select record_l, record_r, round(match_weight, 4) as match_weight, "
        f"{gammas} from {told.physical_name}"
    )
    told.drop_table_from_database_and_remove_from_cache()


@dataclass(frozen=True)
class Part:
    """One bar of a pair's waterfall: what a comparison adds to the match weight, in bits."""

    name: str
    level: str
    weight: float


def explain_pair(
    connection: duckdb.DuckDBPyConnection,
    parameters: Parameters,
    records: str,
    pair: str,
    chart: Path,
) -> tuple[float, list[Part]]:
    """The weight of one pair and its parts; writes Splink's waterfall chart, without any values."""
    settings = parameters.splink | {"retain_intermediate_calculation_columns": True}
    linker = _linker(connection, records, settings)
    _without_term_tables(linker, parameters.field_names)
    linker.table_management.register_blocked_pairs_for_predict(linker._db_api.register(pair))
    told = linker.inference.predict(warning_mode="never")
    rows = told.as_record_list()
    data = records_to_waterfall_data(rows, linker._settings_obj, True)
    drawn = linker.visualisations.waterfall_chart(rows, remove_sensitive_data=True)
    chart.parent.mkdir(parents=True, exist_ok=True)
    drawn.altair_chart.save(str(chart), inline=True)
    told.drop_table_from_database_and_remove_from_cache()
    found = [
        Part(bar["column_name"], bar["label_for_charts"] or "", bar["log2_bayes_factor"])
        for bar in data
        if bar["log2_bayes_factor"] is not None
    ]
    return float(rows[0]["match_weight"]), found


def _without_term_tables(linker: Linker, names: list[str]) -> None:
    """The records bring their term frequencies along: Splink need not count them."""
    for name in names:
        empty = pa.table(
            {name: pa.array([], pa.string()), f"tf_{name}": pa.array([], pa.float64())}
        )
        linker.table_management.register_term_frequency_lookup(linker._db_api.register(empty), name)


def _settings(fields: tuple[Field, ...]) -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        comparisons=[_comparison(field) for field in fields],
        blocking_rules_to_generate_predictions=[block_on("record")],
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=False,
        linker_uid="tessera",
    )


def _comparison(field: Field) -> CustomComparison:
    levels: list[Any] = [CustomLevel(field.unknown, "unknown").configure(is_null_level=True)]
    levels += [_level(field, level) for level in field.levels]
    levels.append(ElseLevel().configure(m_probability=field.m_else))
    return CustomComparison(
        output_column_name=field.name, comparison_levels=levels, comparison_description=field.name
    )


def _level(field: Field, level: Level) -> Any:
    made = CustomLevel(level.sql, level.label)
    if level.is_exact:
        return made.configure(
            m_probability=level.m,
            tf_adjustment_column=field.name,
            disable_tf_exact_match_detection=True,
        )
    return made.configure(m_probability=level.m)


def _linker(
    connection: duckdb.DuckDBPyConnection, records: str, settings: SettingsCreator | dict[str, Any]
) -> Linker:
    table = DuckDBAPI(connection).register(records)
    return Linker(table, settings, log_level=logging.ERROR, validate_settings=False)


def _learn_prior(linker: Linker, names: set[str], count: int) -> None:
    rules: list[Any] = [block_on(*rule) for rule in _SURE_RULES if set(rule) <= names]
    with suppress(ValueError, IndexError, ZeroDivisionError):  # the bounds below hold
        linker.training.estimate_probability_two_random_records_match(rules, recall=_RULE_RECALL)
    pairs = max(count * (count - 1) / 2, 1)
    found = linker._settings_obj._probability_two_random_records_match
    bounded = min(max(found if rules else 0.0, 1 / pairs, 0.01 / max(count, 1)), 0.1)
    linker._settings_obj._probability_two_random_records_match = bounded


def _learn_m(linker: Linker, block: tuple[str, ...]) -> None:
    before = deepcopy(linker._settings_obj)
    try:
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*block),
            estimate_without_term_frequencies=True,
            max_pairs=_EM_PAIRS,
            record_sample_proportion=0.1,
        )
    except ValueError as error:
        # Splink refuses an m of 0: in a small block no match may agree in just that degree. Such a
        # block teaches nothing.
        if "m_probability" not in str(error):
            raise
        linker._settings_obj = before


def _pairs_in_block(
    connection: duckdb.DuckDBPyConnection, records: str, block: tuple[str, ...]
) -> float:
    filled = " and ".join(f"{name} is not null" for name in block)
    rows = connection.execute(
        f"select coalesce(sum(n * (n - 1) / 2), 0) from (select count(*)::double as n "
        f"from {records} where {filled} group by {', '.join(block)})"
    ).fetchall()
    return float(rows[0][0])


def _completed(learned: dict[str, Any], fields: tuple[Field, ...], count: int) -> dict[str, Any]:
    """Starting values where nothing was learned or what was learned cannot be; rounded."""
    lowest_u = 1 / max(2 * min(count * (count - 1) / 2, _U_PAIRS), 2)
    for comparison, field in zip(learned["comparisons"], fields, strict=True):
        levels = [x for x in comparison["comparison_levels"] if not x.get("is_null_level")]
        starting = [level.m for level in field.levels] + [field.m_else]
        _complete_u(levels, lowest_u)
        if not _plausible(levels):
            for level, m in zip(levels, starting, strict=True):
                level["m_probability"] = m
        for level in levels:
            for name in ("m_probability", "u_probability"):
                level[name] = float(f"{level[name]:.{_DIGITS}g}")
    prior = learned["probability_two_random_records_match"]
    return learned | {"probability_two_random_records_match": float(f"{prior:.{_DIGITS}g}")}


def _complete_u(levels: list[dict[str, Any]], lowest: float) -> None:
    for level in levels:
        level["u_probability"] = max(level.get("u_probability") or 0.0, lowest)


def _plausible(levels: list[dict[str, Any]]) -> bool:
    """Whether records of one person agree more often than others; all shares are known."""
    shares = [level.get("m_probability") for level in levels]
    if any(m is None for m in shares):
        return False
    exact, other = levels[0], levels[-1]
    return bool(
        exact["m_probability"] > 2 * exact["u_probability"]
        and other["m_probability"] < other["u_probability"]
    )
