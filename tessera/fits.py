"""This day's fit, the challenger: between the frames of `models/` and the tables of the ml floor.

It assigns nobody: tessera/assignments.py asks the gates first.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from tessera import champions, registry
from tessera.fit_parameters import preparation_parameters, search_parameters
from tessera.settings import Settings

if TYPE_CHECKING:
    from models.clustering import FittedSegments
    from models.weeks import WeekParameters


@dataclass(frozen=True)
class Fit:
    """A clustering, its id, the features it needs, and how many customers it was fitted to."""

    model_id: str
    fitted: FittedSegments
    features: list[str]
    customers: int


def read_customers(connection: duckdb.DuckDBPyConnection, as_of: date) -> pd.DataFrame:
    """Features of the customers with a purchase, one row each, ordered by id; and is_outlier."""
    customers = connection.execute(
        "select features.*, coalesce(judged.is_outlier, false) as is_outlier "
        "from features.customer_features features "
        "left join ml.customer_outliers judged using (customer_id, as_of) "
        "where frequency > 0 and as_of = ?",
        [as_of],
    ).df()
    return customers.sort_values("customer_id", ignore_index=True)


def in_use(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date
) -> FittedSegments | None:
    """The champion that a run of this day starts from; None where there is none to start from.

    One that cannot be opened is none here: assigning by it is refused, and says why.
    """
    champion = champions.before(connection, as_of)
    if champion is None:
        return None
    try:
        return registry.load(
            connection, settings.artifacts_dir, champion.model_id, definitions(settings)
        )
    except registry.ModelRefused:
        return None


def fit(
    customers: pd.DataFrame,
    settings: Settings,
    as_of: date,
    champion: FittedSegments | None = None,
) -> Fit:
    """Cluster the customers. Raises ValueError for a feature that is none of the known ones.

    The champion's algorithm and k are kept unless others are really better.
    """
    from models.fingerprint import frame_digest, model_id
    from models.weeks import fit_challenger

    parameters = week_parameters(settings)
    fitted = fit_challenger(customers, parameters, champion)
    told = typical(customers, settings)
    named = model_id(
        as_of,
        frame_digest(told, parameters.features),
        {
            **asdict(fitted.parameters),
            "preparation": asdict(parameters.preparation),
            "algorithm": fitted.clusterer.algorithm,
            "k": fitted.k,
        },
        fitted.clusterer.algorithm,
    )
    features = [f for f in parameters.features if f not in fitted.preparation.dropped]
    return Fit(named, fitted, features, len(told))


def week_parameters(settings: Settings) -> WeekParameters:
    """The settings as `models/` takes them. Raises ValueError for an unknown feature."""
    from models.judging import GateParameters
    from models.moves import MoveParameters
    from models.weeks import WeekParameters

    told = settings.segmentation
    return WeekParameters(
        preparation=preparation_parameters(told),
        search=search_parameters(told),
        exclude_outliers=told.exclude_outliers,
        moves=MoveParameters(settings.moves.margin, settings.moves.changed),
        gates=GateParameters(**settings.gates.model_dump()),
        settled_days=settings.moves.settled_days,
    )


def typical(customers: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Those the fit is made of: without outliers if so wanted; all when nobody else is left."""
    if not settings.segmentation.exclude_outliers:
        return customers
    kept = customers[~customers["is_outlier"]].reset_index(drop=True)
    return customers if kept.empty else kept


def definitions(settings: Settings) -> dict[str, object]:
    """The settings that decide what a feature means: an ML model holds under the same ones."""
    return {"currency": settings.currency, **settings.features.model_dump(mode="json")}


def write(
    connection: duckdb.DuckDBPyConnection,
    fit: Fit,
    settings: Settings,
    as_of: date,
    now: datetime,
) -> None:
    """Save the ML model and replace what the ml floor says of this day's fit."""
    features = registry.feature_version(connection, fit.features, definitions(settings))
    connection.execute("begin")
    try:
        for table in ("fits", "fit_evidence"):
            connection.execute(f"delete from ml.{table} where as_of = ?", [as_of])
        _write_fit(connection, fit, as_of)
        _write_evidence(connection, fit, as_of)
        registry.save(connection, settings.artifacts_dir, fit.model_id, as_of, fit.fitted, features)
        registry.note(connection, fit.model_id, as_of, "fitted", fit.fitted.reasoning, now)
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _write_fit(connection: duckdb.DuckDBPyConnection, fit: Fit, as_of: date) -> None:
    fitted = fit.fitted
    features = {
        "used": list(fitted.preparation.used),
        "dropped": dict(fitted.preparation.dropped),
        "parameters": asdict(fitted.parameters),
    }
    row = pd.DataFrame(  # noqa: F841 - DuckDB reads the frame by its name
        {
            "model_id": [fit.model_id],
            "as_of": [as_of],
            "algorithm": [fitted.clusterer.algorithm],
            "k": [fitted.k],
            "silhouette": [fitted.silhouette],
            "stability": [fitted.stability],
            "inertia": [fitted.inertia],
            "customers": [fit.customers],
            "seed": [fitted.parameters.seed],
            "features": [json.dumps(features)],
            "reasoning": [fitted.reasoning],
        }
    )
    connection.execute("insert into ml.fits by name from row")


def _write_evidence(connection: duckdb.DuckDBPyConnection, fit: Fit, as_of: date) -> None:
    evidence = fit.fitted.evidence.assign(candidate=range(1, len(fit.fitted.evidence) + 1))  # noqa: F841
    connection.execute(
        "insert into ml.fit_evidence by name "
        "select $model_id as model_id, $as_of as as_of, * from evidence order by candidate",
        {"model_id": fit.model_id, "as_of": as_of},
    )
