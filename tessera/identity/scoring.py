"""Match weights of pairs of records: Fellegi & Sunter (1969) by Splink, learned without labels."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.comparison_level_library import CustomLevel, ElseLevel
from splink.internals.comparison_library import CustomComparison
from splink.internals.waterfall_chart import records_to_waterfall_data

from tessera.identity.fields import Field, Level

BY_EVIDENCE = 99  # match key of a pair that shares no key, but an address or a device


@dataclass(frozen=True)
class Parameters:
    """What was learned: Splink's settings, from how many records.

    `largest_blocks`: by key, above which a block is left out. `filled`: columns that had something
    to say. `definitions`: what the code was like. `learned`: names all this and the frequencies.
    """

    splink: dict[str, Any]
    records: int
    largest_blocks: dict[str, int] = field(default_factory=dict)
    filled: list[str] = field(default_factory=list)
    definitions: str = ""
    learned: str = ""

    @property
    def field_names(self) -> list[str]:
        """The fields that are compared."""
        return [c["output_column_name"] for c in self.splink["comparisons"]]


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
    gamma_<field> (degree of agreement, 0 for none, -1 for unknown), by_evidence (match_key 99).
    """
    linker = linker_of(connection, records, parameters.splink)
    without_term_tables(linker, parameters.field_names)
    linker.table_management.register_blocked_pairs_for_predict(linker._db_api.register(pairs))
    told = linker.inference.predict(threshold_match_weight=lowest_weight, warning_mode="never")
    gammas = ", ".join(f"gamma_{name}" for name in parameters.field_names)
    connection.execute(
        f"create or replace temporary table {scores} as "
        "select record_l, record_r, round(match_weight, 4) as match_weight, "
        f"{gammas}, match_key = '{BY_EVIDENCE}' as by_evidence from {told.physical_name}"
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
    linker = linker_of(connection, records, settings)
    without_term_tables(linker, parameters.field_names)
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


def draw_weights(
    connection: duckdb.DuckDBPyConnection, parameters: Parameters, chart: Path
) -> None:
    """Write Splink's chart of what each degree of agreement adds to the match weight, as a page."""
    connection.execute("create or replace temporary table identity_nobody as select 0 as record")
    drawn = linker_of(
        connection, "identity_nobody", parameters.splink
    ).visualisations.match_weights_chart()
    chart.parent.mkdir(parents=True, exist_ok=True)
    drawn.altair_chart.save(str(chart), inline=True)


def without_term_tables(linker: Linker, names: list[str]) -> None:
    """The records bring their term frequencies along: Splink need not count them."""
    for name in names:
        empty = pa.table(
            {name: pa.array([], pa.string()), f"tf_{name}": pa.array([], pa.float64())}
        )
        linker.table_management.register_term_frequency_lookup(linker._db_api.register(empty), name)


def settings_of(fields: tuple[Field, ...]) -> SettingsCreator:
    """Splink's settings to compare `fields`, with starting values."""
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


def linker_of(
    connection: duckdb.DuckDBPyConnection, records: str, settings: SettingsCreator | dict[str, Any]
) -> Linker:
    """Splink for the table `records`, quiet."""
    table = DuckDBAPI(connection).register(records)
    return Linker(table, settings, log_level=logging.ERROR, validate_settings=False)
