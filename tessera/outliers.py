"""Between the frames of `models/outliers.py` and the table `ml.customer_outliers`."""

from __future__ import annotations

from datetime import date

import duckdb

from tessera import fits
from tessera.settings import Settings


def find(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """Judge every customer with a purchase and replace what the ml floor says of this day.

    Returns how many are outliers, in words.
    """
    from models.outliers import OutlierParameters, find_outliers

    customers = fits.read_customers(connection, as_of)
    parameters = OutlierParameters(seed=settings.segmentation.seed)
    judged = find_outliers(customers, parameters=parameters)
    connection.execute("begin")
    connection.execute("delete from ml.customer_outliers where as_of = ?", [as_of])
    connection.execute(
        "insert into ml.customer_outliers "
        "select customer_id, ?, is_outlier, kind, reasons, isolation_score, neighbour_distance, "
        "is_isolated, is_noise from judged",
        [as_of],
    )
    connection.execute("commit")
    return f"{judged['is_outlier'].sum():,} of {len(judged):,} customers"
