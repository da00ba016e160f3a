"""Each check of the data-out gate passes on good tables and fails on its own planted defect."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path

import duckdb
import pytest

from expectations.checkpoint import run
from expectations.checks import Suite
from expectations.results import CheckResult
from expectations.segments import features, published

AS_OF = date(2026, 1, 1)
SUITES = {
    suite.name: suite
    for suite in (features.suite(AS_OF, 400, Decimal("30000.00")), *published.suites(AS_OF))
}
AGAIN = "INSERT INTO {table} SELECT * FROM {table} LIMIT 1"
EMPTY = "DELETE FROM {table}"


def change(assignment: str, where: str = "customer_id = 'c7'") -> str:
    return f"UPDATE {{table}} SET {assignment} WHERE {where}"


def of_segment(assignment: str) -> str:
    return change(assignment, "segment_id = 'loyal-regulars'")


DEFECTS: dict[str, dict[str, str]] = {
    "segments.customer_features": {
        "There is at least one customer": EMPTY,
        "Every row of features belongs to a customer": change("customer_id = NULL"),
        "No customer has two rows of features": AGAIN,
        "All features are as of this run's date": change("as_of = DATE '2025-12-31'"),
        "No customer of the exports is lost or made up": (
            "DELETE FROM {table} WHERE customer_id = 'c7'"
        ),
        "Customers' revenue is that of their orders, to the cent": change(
            "gross_revenue = gross_revenue + 0.01"
        ),
        "The recency score lies between 1 and 5": change("r_score = 6"),
        "The frequency score lies between 1 and 5": change("f_score = 0"),
        "The monetary score lies between 1 and 5": change("m_score = 6"),
        "Nobody bought after this run's date": change("recency_days = -1"),
        "Nobody has fewer than no orders": change("frequency = -1"),
        "Hardly anybody has negative revenue": change("gross_revenue = -1", "r_score = 1"),
        "Hardly anybody has negative refunds": change("refunds = -1", "r_score = 1"),
        "Profiles are known from 0 to 100 %": change("profile_completeness = 1.1"),
        "Nobody gives back less than nothing": change("refund_share = -0.1"),
        "Nobody has fewer than no void orders": change("void_orders = -1"),
        "Who bought has an hour in which she did": change("busiest_hour_orders = 0"),
        "Discount shares lie between 0 and 100 %": change("discount_share = 1.01"),
        "Add-to-cart rates lie between 0 and 100 %": change("add_to_cart_rate = 2"),
        "Abandonment rates lie between 0 and 100 %": change("cart_abandonment_rate = -0.1"),
        "Campaign open rates lie between 0 and 100 %": change("campaign_open_rate = 3"),
        "Campaign click rates lie between 0 and 100 %": change("campaign_click_rate = 3"),
        "Sentiment lies between -1 and 1": change("mean_sentiment = -1.5"),
        "Purchase trends lie between -1 and 1": change("purchase_trend = 'infinity'"),
        "Nobody's engagement is negative": change("engagement_score = -1"),
        "Lifecycle stages are ones that we know": change("lifecycle_stage = 'gone'"),
        "Every customer has a lifecycle stage": change("lifecycle_stage = NULL"),
        "Customers without a source have no figures from it, not zeros": change("posts = 0"),
        "Every customer comes from at least one source": change(
            "has_contact = false, has_orders = false, has_web = false"
        ),
        "Every customer who bought has recency and RFM scores": change("rfm_score = NULL"),
        "At least 1 % of customers bought something": change("frequency = 0", "true"),
        "At most 5 % of customers were refunded more than they paid": change(
            "monetary = -1", "r_score = 1"
        ),
        "At most 30 % of revenue was refunded": change("refunds = gross_revenue", "true"),
        "No single customer makes more than half of the revenue": change("monetary = 99999"),
        "Recency scores tell customers apart": change("r_score = 3", "true"),
    },
    "segments.customer_segments": {
        "There is at least one customer in a segment": EMPTY,
        "Every row of segments belongs to a customer": change("customer_id = NULL"),
        "No customer is in two segments": AGAIN,
        "Every customer is in a segment, and nobody else is": change("customer_id = 'stranger'"),
        "All segments are as of this run's date": change("as_of = NULL"),
        "Every customer's segment has an identifier": change("segment_id = NULL"),
        "Every customer's segment has a name": change("segment_name = NULL"),
        "Every customer's segment says which ML model gave it": change("model_id = NULL"),
        "Segment identifiers are plain lower-case words": change("segment_id = 'Loyal Regulars'"),
        "No segment has two names": change("segment_name = 'Other'"),
        "Confidence lies between 0 and 100 %": change("confidence = 1.5"),
        "Distances to a segment's centre are not negative": change("distance = -0.1"),
        "Lifecycle stages of segments are known ones": change("lifecycle_stage = 'gone'"),
        "Customers without a purchase are in their own segment, and only they": change(
            "frequency = 0"
        ),
        "No segment holds more than 80 % of customers": change(
            "segment_id = 'quiet-buyers'", "true"
        ),
        "No segment holds less than 0.5 % of customers": change("segment_id = 'alone'"),
        "Customers who bought are in at least two segments, and not in too many": change(
            "segment_id = 'quiet-buyers'", "frequency > 0"
        ),
    },
    "segments.segment_profiles": {
        "There is at least one segment": EMPTY,
        "Every profile belongs to a segment": of_segment("segment_id = NULL"),
        "No segment has two profiles": AGAIN,
        "Every profile has a segment's name": of_segment("segment_name = NULL"),
        "All profiles are as of this run's date": of_segment("as_of = DATE '2025-12-31'"),
        "Each profile counts the customers that are in its segment": of_segment(
            "customers = customers + 1"
        ),
        "Segments' revenue adds up to customers' revenue, to the cent": of_segment(
            "gross_revenue = gross_revenue - 0.01"
        ),
        "Shares of customers add up to 100 %": of_segment("customer_share = customer_share - 0.01"),
        "Shares of revenue add up to 100 %": of_segment("revenue_share = NULL"),
        "Each share of customers lies between 0 and 100 %": of_segment("customer_share = 1.2"),
        "Each share of revenue lies between 0 and 100 %": of_segment("revenue_share = -0.2"),
        "Each share of customers at risk lies between 0 and 100 %": of_segment(
            "at_risk_share = 1.2"
        ),
        "Every segment has a description and a suggested action": of_segment(
            "suggested_action = ' '"
        ),
    },
    "segments.segment_history": {
        "Every stay in a segment belongs to a customer": change("customer_id = NULL"),
        "Every stay names its segment": change("segment_id = NULL"),
        "Every stay has a first day": change("valid_from = NULL"),
        "Every stay lasts at least a day": change("valid_to = valid_from"),
        "No stay begins or ends in the future": change("valid_to = DATE '2026-01-02'"),
        "Nobody is in two segments on the same day": change(
            "valid_to = DATE '2025-12-16'", "customer_id = 'c7' AND valid_to IS NOT NULL"
        ),
        "The history ends in the segment that each customer is in today": change(
            "valid_to = DATE '2025-12-20'", "customer_id = 'c7' AND valid_to IS NULL"
        ),
    },
}
CASES = [(name, title) for name, defects in DEFECTS.items() for title in defects]
WARNINGS = {
    "At least 1 % of customers bought something",
    "At most 5 % of customers were refunded more than they paid",
    "At most 30 % of revenue was refunded",
    "No single customer makes more than half of the revenue",
    "Recency scores tell customers apart",
    "No segment holds more than 80 % of customers",
    "No segment holds less than 0.5 % of customers",
    "Customers who bought are in at least two segments, and not in too many",
    "Every segment has a description and a suggested action",
}


@pytest.fixture(scope="module")
def good_results(good_warehouse: Path) -> list[CheckResult]:
    return run(good_warehouse, list(SUITES.values()))


@pytest.fixture(scope="module")
def defect_results(
    good_warehouse: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], CheckResult]:
    """Check each defect on a copy of its table, a dozen in a run: the engine is slow to start."""
    path = tmp_path_factory.mktemp("defects") / "warehouse.duckdb"
    path.write_bytes(good_warehouse.read_bytes())
    suites = []
    with duckdb.connect(str(path)) as connection:
        for number, (name, title) in enumerate(CASES):
            table = f"{SUITES[name].table}_{number}"
            connection.execute(f"CREATE TABLE {table} AS SELECT * FROM {SUITES[name].table}")
            connection.execute(DEFECTS[name][title].format(table=table))
            check = next(check for check in SUITES[name].checks if check.title == title)
            suites.append(Suite(f"defect_{number}", table, (check,)))
    runs = [run(path, suites[first : first + 12]) for first in range(0, len(suites), 12)]
    return dict(zip(CASES, chain.from_iterable(runs), strict=True))


def test_good_tables_pass(good_results: list[CheckResult]) -> None:
    assert [result for result in good_results if not result.success] == []


@pytest.mark.parametrize(("name", "title"), CASES)
def test_planted_defect_is_found(
    name: str, title: str, defect_results: dict[tuple[str, str], CheckResult]
) -> None:
    result = defect_results[name, title]
    assert not result.success
    assert result.observed not in {"could not be checked", "table not readable", "not checked"}


@pytest.mark.parametrize("name", SUITES)
def test_each_check_has_a_defect_and_its_own_title(name: str) -> None:
    assert sorted(check.title for check in SUITES[name].checks) == sorted(DEFECTS[name])


@pytest.mark.parametrize("name", SUITES)
def test_only_oddities_are_warnings(name: str) -> None:
    for check in SUITES[name].checks:
        assert (check.severity == "warning") == (check.title in WARNINGS)


def test_comparisons_with_the_floor_before_are_optional() -> None:
    titles = {check.title for check in features.suite(AS_OF).checks}
    assert "No customer of the exports is lost or made up" not in titles
    assert "Customers' revenue is that of their orders, to the cent" not in titles


def test_empty_tables_fail_where_they_must(warehouse: Path) -> None:
    """No critical check may pass on nothing when it compares with the floor before."""
    with duckdb.connect(str(warehouse)) as connection:
        for table in {suite.table for suite in SUITES.values()} - {features.TABLE}:
            connection.execute(f"DELETE FROM {table}")
    failed = {r.title for r in run(warehouse, list(SUITES.values())) if r.stops_the_run}
    assert failed == {
        "There is at least one customer in a segment",
        "Every customer is in a segment, and nobody else is",
        "There is at least one segment",
        "Segments' revenue adds up to customers' revenue, to the cent",
    }


def test_a_run_of_another_date_is_not_published(good_warehouse: Path) -> None:
    failed = {
        r.title for r in run(good_warehouse, published.suites(date(2026, 1, 8))) if r.stops_the_run
    }
    assert failed == {
        "All segments are as of this run's date",
        "All profiles are as of this run's date",
    }


def test_nobody_having_bought_is_a_warning_only(warehouse: Path) -> None:
    """A company without a single sale gets tables, and is told that they are odd."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "UPDATE segments.customer_segments SET segment_id = 'without-purchase', "
            "segment_name = 'Without Purchase', frequency = 0"
        )
    suite = published.suites(AS_OF)[0]
    failed = [result for result in run(warehouse, [suite]) if not result.success]
    assert {result.severity for result in failed} == {"warning"}
