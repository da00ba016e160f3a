from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from io import StringIO
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from models.clustering import fit_segments
from models.preparation import DEFAULT_TREATMENTS, Index, PreparationParameters
from models.search_parameters import SearchParameters
from models.weeks import Week, WeekParameters, advance
from tessera import explanations, fits
from tessera.privacy.find import NobodyFound
from tests.unit.fitted import DAY, features_of

SEARCH = SearchParameters(k_range=(3, 3), resamples=2)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with features_of(300) as opened:
        yield opened


def week_of(customers: pd.DataFrame, **preparation: Any) -> Week:
    fitted = fit_segments(customers, PreparationParameters(**preparation), SEARCH)
    return advance(None, customers, parameters=WeekParameters(), as_of=DAY, chosen=fitted).week


def tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    names = ("segment_features", "segment_members", "segment_rules", "customer_reasons")
    return {
        name: connection.execute(f"select * from ml.{name} order by all").fetchall()
        for name in names
    }


def test_all_is_explained_and_a_second_run_changes_nothing(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    customers = fits.read_customers(connection, DAY)
    week = week_of(customers)
    explanations.explain(connection, customers, week, DAY)
    once = tables(connection)
    assert {name: len(rows) for name, rows in once.items()} == {
        "segment_features": 3 * len(DEFAULT_TREATMENTS),
        "segment_members": 3 * 2 * 5,
        "segment_rules": 3,
        "customer_reasons": 270,
    }
    explanations.explain(connection, customers.sample(frac=1, random_state=1), week, DAY)
    assert tables(connection) == once


def test_the_rules_find_in_the_warehouse_whom_they_say(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    customers = fits.read_customers(connection, DAY)
    week = week_of(customers)
    explanations.explain(connection, customers, week, DAY)
    placed = week.placed[["customer_id", "segment_id"]]
    for segment, rule, precision, recall in connection.execute(
        "select segment_id, sql_rule, rule_precision, rule_recall from ml.segment_rules"
    ).fetchall():
        taken = connection.execute(
            f"select customer_id from features.customer_features where {rule}"
        ).fetchall()
        found = {customer for (customer,) in taken}
        inside = set(placed.loc[placed["segment_id"] == segment, "customer_id"])
        assert len(found & inside) / len(found) == pytest.approx(precision)
        assert len(found & inside) / len(inside) == pytest.approx(recall)


@pytest.mark.parametrize(
    "preparation",
    [
        {},
        {"pca_share": 0.8},
        {"pca_share": 0.9, "scaling": "min-max", "weights": {"value": 2.0}},
        {"indices": {"worth": Index(("monetary", "frequency"))}},
    ],
    ids=["plain", "pca", "weighted", "index"],
)
def test_margins_are_those_of_the_distances(
    connection: duckdb.DuckDBPyConnection, preparation: dict[str, Any]
) -> None:
    customers = fits.read_customers(connection, DAY)
    week = week_of(customers, **preparation)
    explanations.explain(connection, customers, week, DAY)
    margins = connection.execute(
        "select customer_id, margin from ml.customer_reasons order by customer_id"
    ).df()
    placed = week.placed.sort_values("customer_id")
    expected = placed["second_distance"] ** 2 - placed["distance"] ** 2
    np.testing.assert_allclose(margins["margin"], expected, atol=1e-6)


def test_what_is_not_known_of_her_is_no_reason(connection: duckdb.DuckDBPyConnection) -> None:
    customers = fits.read_customers(connection, DAY)
    explanations.explain(connection, customers, week_of(customers), DAY)
    guessed = connection.execute(
        """
        select count(*) from ml.customer_reasons
        inner join features.customer_features using (customer_id)
        where engagement_score is null
            and 'engagement_score' in (reason_1, reason_2, reason_3)
        """
    ).fetchall()
    assert guessed == [(0,)]


def test_other_days_stay_but_for_the_reasons_of_customers(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    customers = fits.read_customers(connection, DAY)
    week = week_of(customers)
    for day in (DAY, date(2026, 1, 8)):
        explanations.explain(connection, customers, week, day)
    days = {name: len({row[0] for row in rows}) for name, rows in tables(connection).items()}
    assert days == {
        "segment_features": 2, "segment_members": 2, "segment_rules": 2, "customer_reasons": 1
    }  # fmt: skip


def test_one_customer(connection: duckdb.DuckDBPyConnection) -> None:
    customers = fits.read_customers(connection, DAY).head(1)
    explanations.explain(connection, customers, week_of(customers), DAY)
    told = tables(connection)
    assert told["customer_reasons"][0][3] is None
    assert told["segment_rules"][0][3:] == ('"frequency" > 0', 1, 1, 1)


SEGMENTS = """
    create schema staging;
    create schema segments;
    create table staging.stg_vault__identifiers as
    select 'customer' as kind, 'p2' as pseudonym, 'customer_id' as field, '4711' as value
    union all select 'customer', 'p9', 'customer_id', '9';
    insert into enriched.identities values ('2026-01-01', 'account', 'p2', 'p1');
    create table segments.customer_reasons as
    select 'p1' as customer_id, 's1' as segment_id, 'Champions' as segment_name,
        date '2026-01-01' as as_of, 0.42 as confidence, 'Big Spenders' as second_segment_name,
        'Nearer to A than to B.' as why, 'recency_days' as reason_1, 12.0 as reason_1_value,
        1.0 as reason_1_share, null::varchar as reason_2, null::double as reason_2_value,
        null::double as reason_2_share, null::varchar as reason_3, null::double as reason_3_value,
        null::double as reason_3_share;
    create table segments.segment_profiles as
    select 's1' as segment_id, date '2026-01-01' as as_of, 'Buy.' as description,
        'Thank them.' as suggested_action, 'Post' as suggested_channel,
        '"frequency" > 4' as sql_rule, 0.91 as rule_fidelity;
    create table segments.customer_segments as
    select *, 'active' as lifecycle_stage from segments.customer_reasons;
"""


@pytest.mark.parametrize("customer", ["p1", " 4711 "])
def test_a_customer_is_explained_to_people(
    connection: duckdb.DuckDBPyConnection, customer: str
) -> None:
    connection.execute(SEGMENTS)
    console = Console(width=120, file=StringIO())
    for text in explanations.told(connection, customer):
        console.print(text)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    for part in (
        "p1", "Champions (s1)", "rather: hers is nearer than the second best by 42%",
        "Big Spenders", "Nearer to A than to B.", "Thank them. (Post)", '"frequency" > 4', "91%",
        "recency days", "12.00", "100%",
    ):  # fmt: skip
        assert part in said, part


def test_who_cannot_be_explained(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(NobodyFound, match="make run"):
        explanations.told(connection, "p1")
    connection.execute(SEGMENTS)
    with pytest.raises(NobodyFound, match="no segment"):
        explanations.told(connection, "9")
    with pytest.raises(NobodyFound, match="nobody in the vault"):
        explanations.told(connection, "nobody")
