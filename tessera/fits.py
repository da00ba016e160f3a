"""Between the frames of `models/` and the tables of the ml floor."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from models.naming_rules import RESERVED, WITHOUT_PURCHASE_ID
from tessera import registry, runs
from tessera.fit_parameters import preparation_parameters, search_parameters
from tessera.settings import Settings

if TYPE_CHECKING:
    from models.clustering import FittedSegments


@dataclass(frozen=True)
class NamedFit:
    """A clustering with the names of its clusters. `names`: one row a cluster."""

    model_id: str
    fitted: FittedSegments
    names: pd.DataFrame
    assignments: pd.DataFrame


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


def fit(customers: pd.DataFrame, settings: Settings, as_of: date) -> NamedFit:
    """Cluster and name. Raises ValueError for a feature that is none of the known ones."""
    from models.clustering import assign, fit_segments
    from models.fingerprint import frame_digest, model_id
    from models.naming import name_segments, slug
    from models.profiles import profile_segments
    from tessera.names import features_of, rules_of

    told = settings.segmentation
    preparation, parameters = preparation_parameters(told), search_parameters(told)
    typical = _typical(customers) if told.exclude_outliers else customers
    fitted = fit_segments(typical, preparation, parameters)
    clusters = assign(fitted, typical)["cluster"]
    rules = rules_of(settings.names, typical)
    profiles = profile_segments(typical, clusters, features_of(rules))
    names = name_segments(profiles, rules, settings.currency)
    names = names.assign(
        cluster=names["segment_id"].astype("int64"), segment_id=names["segment_name"].map(slug)
    )
    named = model_id(
        as_of,
        frame_digest(typical, list(preparation.treatments)),
        {**asdict(parameters), "preparation": asdict(preparation)},
    )
    return NamedFit(named, fitted, names, assign(fitted, customers))


def _typical(customers: pd.DataFrame) -> pd.DataFrame:
    """The customers without the outliers; all of them when nobody else is left."""
    typical = customers[~customers["is_outlier"]].reset_index(drop=True)
    return customers if typical.empty else typical


def write(connection: duckdb.DuckDBPyConnection, fit: NamedFit, as_of: date) -> None:
    """Replace what the ml floor says of this day, in one transaction."""
    connection.execute("begin")
    for table in ("assignments", "fits", "k_selection", "segment_names"):
        connection.execute(f"delete from ml.{table} where as_of = ?", [as_of])
    _write_assignments(connection, fit, as_of)
    _write_names(connection, fit, as_of)
    _write_fit(connection, fit, as_of)
    connection.execute("commit")


def register(
    connection: duckdb.DuckDBPyConnection, fit: NamedFit, settings: Settings, as_of: date
) -> None:
    """Save the ML model and write it into the registry."""
    used = list(fit.fitted.preparation.used)
    features = registry.feature_version(connection, used, definitions(settings))
    registry.save(connection, settings.artifacts_dir, fit.model_id, as_of, fit.fitted, features)
    registry.note(connection, fit.model_id, as_of, "fitted", fit.fitted.reasoning, runs.now())


def definitions(settings: Settings) -> dict[str, object]:
    """The settings that decide what a feature means: an ML model holds under the same ones."""
    return {"currency": settings.currency, **settings.features.model_dump(mode="json")}


def _write_assignments(connection: duckdb.DuckDBPyConnection, fit: NamedFit, as_of: date) -> None:
    assigned = fit.assignments  # noqa: F841 - DuckDB reads the frame by its name
    names = fit.names  # noqa: F841
    connection.execute(
        """
        insert into ml.assignments
        select customer_id, $as_of, $model_id, segment_id, segment_name, distance, confidence
        from assigned join names using (cluster)
        union all
        select customer_id, $as_of, $model_id, $id, $name, null, null
        from features.customer_features
        where as_of = $as_of and coalesce(frequency, 0) = 0
        order by customer_id
        """,
        {
            "as_of": as_of,
            "model_id": fit.model_id,
            "id": WITHOUT_PURCHASE_ID,
            "name": RESERVED[WITHOUT_PURCHASE_ID].name,
        },
    )


def _write_names(connection: duckdb.DuckDBPyConnection, fit: NamedFit, as_of: date) -> None:
    names = fit.names  # noqa: F841
    connection.execute(
        "insert into ml.segment_names "
        "select ?, ?, segment_id, segment_name, description, suggested_action, suggested_channel "
        "from names",
        [fit.model_id, as_of],
    )
    never = RESERVED[WITHOUT_PURCHASE_ID]
    told = (f"{never.lead}.", never.suggested_action, never.suggested_channel)
    connection.execute(
        "insert into ml.segment_names select ?, ?, ?, ?, ?, ?, ?",
        [fit.model_id, as_of, WITHOUT_PURCHASE_ID, never.name, *told],
    )


def _write_fit(connection: duckdb.DuckDBPyConnection, fit: NamedFit, as_of: date) -> None:
    fitted = fit.fitted
    features = {
        "used": list(fitted.preparation.used),
        "dropped": dict(fitted.preparation.dropped),
        "parameters": asdict(fitted.parameters),
    }
    selection = fitted.evidence  # noqa: F841
    connection.execute(
        "insert into ml.fits values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            fit.model_id,
            as_of,
            fitted.clusterer.algorithm,
            fitted.k,
            None if pd.isna(fitted.silhouette) else fitted.silhouette,
            fitted.inertia,
            len(fit.assignments),
            fitted.parameters.seed,
            json.dumps(features),
        ],
    )
    connection.execute(
        "insert into ml.k_selection select ?, ?, k, silhouette, inertia, smallest_share, "
        "is_chosen, reason from selection",
        [fit.model_id, as_of],
    )
