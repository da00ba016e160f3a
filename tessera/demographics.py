"""Between the frames of `models/imputation.py` and the table `ml.customer_imputed`."""

from __future__ import annotations

from datetime import date

import duckdb

from tessera.settings import Settings


def impute_demographics(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date
) -> str:
    """Guess what is not known of the customers, and mark it; say how many values were guessed.

    A guess is an analysis of behaviour: nothing is guessed of those who do not allow it, nor from
    them. An analysis of `tessera/behaviour.py`.
    """
    from models.imputation import ATTRIBUTES, ImputationParameters, impute

    customers = connection.execute(
        "select * from features.customer_features where as_of = ? and is_analytics_allowed", [as_of]
    ).df()
    told = settings.imputation
    imputed = impute(
        customers,
        ImputationParameters(
            told.strategy, told.neighbours, told.donors, settings.segmentation.seed
        ),
    )
    connection.execute("delete from ml.customer_imputed where as_of = ?", [as_of])
    connection.execute(
        "insert into ml.customer_imputed by name select ?::date as as_of, * "
        "replace (household_size::bigint as household_size) from imputed",
        [as_of],
    )
    guesses = sum(int(imputed[f"is_{name}_imputed"].sum()) for name in ATTRIBUTES)
    return f"{guesses:,} guesses"
