"""Each check of the data-in gate passes on good exports and fails on its own planted defect."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path

import duckdb
import pytest

from expectations.checkpoint import run
from expectations.checks import Suite
from expectations.exports.suites import KINDS, suite
from expectations.results import CheckResult

YEAR_9 = "= '0009-01-01T00:00:00Z' WHERE _line <= 10"
AGAIN = "INSERT INTO {table} SELECT * FROM {table} WHERE _line <= 40"


def unset(column: str) -> str:
    return f"UPDATE {{table}} SET {column} = NULL WHERE _line = 7"


def change(assignment: str) -> str:
    return f"UPDATE {{table}} SET {assignment}"


# kind → title of the check that must fail → what is done to a copy of the good table
DEFECTS: dict[str, dict[str, str]] = {
    "contacts": {
        "Every contact has a customer number": unset("customer_id"),
        "Hardly any customer number is given twice in a file of contacts": AGAIN,
        "At least 80 % of contacts have an e-mail address": change(
            "email = CASE WHEN _line % 2 = 0 THEN ' ' END WHERE _line <= 100"
        ),
        "E-mail addresses look like e-mail addresses": change("email = 'none' WHERE _line <= 40"),
        "Telephone numbers look like telephone numbers": change("phone = 'x' WHERE _line <= 60"),
        "Birth dates are those of living people who could become customers": change(
            "birth_date = CASE WHEN _line < 10 THEN '1820-01-01' ELSE '2030-01-01' END "
            "WHERE _line <= 20"
        ),
        "Contacts were changed after they were created, not before": change(
            "updated_at = '2001-01-01' WHERE _line <= 10"
        ),
        "Countries are written in one way, not in many": change("country = 'land ' || _line"),
        "Contacts were created in believable years": change(f"created_at {YEAR_9}"),
    },
    "consents": {
        "Every consent belongs to a customer or an e-mail address": unset("customer_id"),
        "Every consent says what it is for": unset("purpose"),
        "Every consent says whether it was given": unset("is_granted"),
        "Every consent says since when": unset("changed_at"),
        "Consent is a plain yes or no": change("is_granted = 'maybe' WHERE _line = 7"),
        "Consent is for purposes that we know": change("purpose = 'fun' WHERE _line <= 40"),
        "No consent is given and withdrawn at the same moment": (
            "INSERT INTO {table} SELECT * REPLACE ('false' AS is_granted) "
            "FROM {table} WHERE _line = 7"
        ),
        "Consents were changed in believable years": change(f"changed_at {YEAR_9}"),
    },
    "demographics": {
        "Every person is named by number, e-mail address or a hash of it": change(
            "customer_id = NULL, email_hash = '' WHERE _line = 7"
        ),
        "Hashes of e-mail addresses are MD5, SHA-1 or SHA-256 in hexadecimal digits": change(
            "email_hash = 'ada@example.org' WHERE _line <= 10"
        ),
        "Households have between one and twenty persons": change(
            "household_size = '99' WHERE _line <= 10"
        ),
    },
    "orders": {
        "Every order has an order number": unset("order_id"),
        "Every order has a date": unset("ordered_at"),
        "Hardly any order number is given twice in a file of orders": AGAIN,
        "At least 70 % of orders name a customer or an e-mail address": change(
            "customer_id = '' WHERE _line <= 200"
        ),
        "Currencies are three-letter codes": change("currency = '€'"),
        "Order statuses are ones that we know": change("status = 'lost' WHERE _line <= 40"),
        "At most 30 % of orders were cancelled or failed": change(
            "status = 'Cancelled' WHERE _line <= 200"
        ),
        "At most 10 % of orders are test orders": change("is_test = 'true' WHERE _line <= 60"),
        "Order totals are not negative": change("total_amount = '-1' WHERE _line <= 10"),
        "No order is absurdly large beside the usual one": change(
            "total_amount = '99999999' WHERE _line = 7"
        ),
        "Orders were placed in believable years": change(f"ordered_at {YEAR_9}"),
    },
    "order_lines": {
        "Every order line belongs to an order": unset("order_id"),
        "Every order line names a product": unset("product_id"),
        "Every order line has a quantity": unset("quantity"),
        "Every order line has a price": unset("unit_price"),
        "Hardly any line number is given twice within an order": AGAIN,
        "Quantities stay below ten thousand units a line": change(
            "quantity = '-80995' WHERE _line <= 2"
        ),
        "Hardly any order line is for nothing": change("quantity = '0' WHERE _line <= 10"),
        "Hardly any order line has a negative price": change("unit_price = '-5' WHERE _line <= 2"),
        "At most 5 % of order lines are free of charge": change(
            "unit_price = '0.00' WHERE _line <= 40"
        ),
        "At most 20 % of order lines are refunds": change(
            "quantity = '-1', is_refund = NULL WHERE _line <= 100"
        ),
        "Discounts are not larger than the line they are given on": change(
            "discount_amount = '50' WHERE _line <= 10"
        ),
        "At least half of the order lines that can name a customer do": change(
            "customer_id = NULL WHERE _line <= 250"
        ),
        "At most 2 % of order lines belong to orders we do not know": change(
            "order_id = 'nowhere' || _line WHERE _line <= 20"
        ),
        "At most 5 % of order lines are for products we do not know": change(
            "product_id = 'nothing' WHERE _line <= 40"
        ),
        "Order lines were sold in believable years": change(f"ordered_at {YEAR_9}"),
    },
    "refunds": {
        "Every refund belongs to an order": unset("order_id"),
        "Every refund has a date": unset("refunded_at"),
        "Every refund has an amount": unset("amount"),
        "Refunds are positive amounts, so that they lower revenue and do not raise it": change(
            "amount = '-' || amount"
        ),
        "Hardly any refund is given twice in a file of refunds": AGAIN,
        "At most 2 % of refunds are for orders we do not know": change(
            "order_id = 'nowhere' WHERE _line <= 20"
        ),
        "Refunds were paid in believable years": change(f"refunded_at {YEAR_9}"),
    },
    "products": {
        "Every product has a product number": unset("product_id"),
        "Hardly any product number is given twice in a file of products": AGAIN,
        "At least 90 % of products have a name": change("product_name = '' WHERE _line <= 80"),
        "At least 80 % of products have a category": change("category = NULL WHERE _line <= 100"),
        "List prices are not negative": change("list_price = '-1' WHERE _line = 7"),
    },
    "web_events": {
        "Every web event has a time": unset("occurred_at"),
        "Web events belong to a visitor or a customer": change(
            "anonymous_id = NULL, customer_id = NULL WHERE _line <= 20"
        ),
        "At least 1 % of web events name a customer, so that visits can be given to customers": (
            change("customer_id = NULL")
        ),
        "Web events are of kinds that we know": change("event_type = 'noise' WHERE _line <= 40"),
        "At most 2 % of web events were sent twice (one in 64 looked at)": (
            "INSERT INTO {table} SELECT * FROM {table}"
        ),
        "At most 20 % of web events come from known crawlers (one in 64 looked at)": change(
            "user_agent = 'GoogleBot/2.1'"
        ),
        "Revenue of web events is not negative": change("revenue = '-3' WHERE _line = 7"),
        "Web events happened in believable years": change(f"occurred_at {YEAR_9}"),
    },
    "app_events": {
        "Every app event belongs to a customer or a device": unset("customer_id"),
        "Every app event says what happened": unset("event_name"),
        "Every app event has a time": unset("occurred_at"),
        "Hardly any app event is given twice in a file": AGAIN,
        "App use lasts between nothing and a day": change(
            "duration_seconds = CASE WHEN _line = 1 THEN '-1' ELSE '1e9' END WHERE _line <= 2"
        ),
        "App platforms are ones that we know": change("platform = 'toaster' WHERE _line <= 40"),
        "At least 90 % of app events belong to a session": change(
            "session_id = NULL WHERE _line <= 80"
        ),
        "App events happened in believable years": change(f"occurred_at {YEAR_9}"),
    },
    "posts": {
        "Every post has a number": unset("post_id"),
        "Every post has an author": unset("author_handle"),
        "Every post has a time": unset("posted_at"),
        "Hardly any post is given twice in a file": AGAIN,
        "At least 90 % of posts say something": change("text = '' WHERE _line <= 80"),
        "Likes, comments and shares are not negative": change("shares = '-1' WHERE _line = 7"),
        "Networks are written in one way, not in many": change("network = 'net' || _line"),
        "Posts were written in believable years": change(f"posted_at {YEAR_9}"),
    },
    "profiles": {
        "Every account has a handle or a number": unset("handle"),
        "Counts of followers are not negative": change("following = '-1' WHERE _line = 7"),
        "Accounts were made in believable years": change(f"created_at {YEAR_9}"),
    },
    "follows": {
        "Every follow says who follows": unset("follower_handle"),
        "Every follow says who is followed": unset("followed_handle"),
        "Hardly any follow is given twice in a file": AGAIN,
        "Hardly anybody follows themselves": change("followed_handle = follower_handle"),
    },
    "tickets": {
        "Every ticket has a number": unset("ticket_id"),
        "Every ticket has an opening time": unset("opened_at"),
        "Hardly any ticket is given twice in a file": AGAIN,
        "At least 90 % of tickets name a customer or an e-mail address": change(
            "customer_id = NULL WHERE _line <= 80"
        ),
        "Tickets were closed after they were opened": change(
            "closed_at = '2001-01-01' WHERE _line <= 10"
        ),
        "Satisfaction lies between 0 and 10": change("satisfaction = '97' WHERE _line <= 10"),
        "Ticket statuses are ones that we know": change("status = 'gone' WHERE _line <= 40"),
        "Tickets were opened in believable years": change(f"opened_at {YEAR_9}"),
    },
    "survey_answers": {
        "Every survey answer belongs to a customer or an e-mail address": unset("customer_id"),
        "Every survey answer has a time": unset("answered_at"),
        "Hardly any survey answer is given twice in a file": AGAIN,
        "The willingness to recommend lies between 0 and 10": change("nps = '11' WHERE _line = 7"),
        "Surveys were answered in believable years": change(f"answered_at {YEAR_9}"),
    },
    "campaign_events": {
        "Every campaign event belongs to a campaign": unset("campaign_id"),
        "Every campaign event belongs to a customer or an e-mail address": unset("customer_id"),
        "Every campaign event says what happened": unset("event"),
        "Every campaign event has a time": unset("occurred_at"),
        "Campaign events are ones that we know": change("event = 'burnt' WHERE _line <= 40"),
        "Campaigns are not opened more often than they are sent": change(
            "event = 'opened' WHERE _line <= 300"
        ),
        "Campaign events happened in believable years": change(f"occurred_at {YEAR_9}"),
    },
}
CASES = [(kind, title) for kind, defects in DEFECTS.items() for title in defects]


@pytest.fixture(scope="module")
def good_results(good_warehouse: Path) -> list[CheckResult]:
    return run(good_warehouse, [suite(kind) for kind in KINDS])


@pytest.fixture(scope="module")
def defect_results(
    good_warehouse: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], CheckResult]:
    """Check each defect on a copy of its table, a dozen in a run: the engine is slow to start."""
    path = tmp_path_factory.mktemp("defects") / "warehouse.duckdb"
    path.write_bytes(good_warehouse.read_bytes())
    suites = []
    with duckdb.connect(str(path)) as connection:
        for number, (kind, title) in enumerate(CASES):
            table = f"raw.{kind}_{number}"
            connection.execute(f"CREATE TABLE {table} AS SELECT * FROM raw.{kind}")
            connection.execute(DEFECTS[kind][title].format(table=table))
            check = next(check for check in suite(kind).checks if check.title == title)
            suites.append(Suite(f"defect_{number}", table, (check,)))
    runs = [run(path, suites[first : first + 12]) for first in range(0, len(suites), 12)]
    return dict(zip(CASES, chain.from_iterable(runs), strict=True))


def test_good_exports_pass(good_results: list[CheckResult]) -> None:
    assert [result for result in good_results if not result.success] == []


def test_good_exports_are_really_measured(good_results: list[CheckResult]) -> None:
    assert [r.title for r in good_results if r.observed == "nothing to measure"] == []


@pytest.mark.parametrize(("kind", "title"), CASES)
def test_planted_defect_is_found(
    kind: str, title: str, defect_results: dict[tuple[str, str], CheckResult]
) -> None:
    result = defect_results[kind, title]
    assert not result.success
    assert result.observed not in {"could not be checked", "table not readable", "not checked"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_check_has_a_defect_and_its_own_title(kind: str) -> None:
    titles = [check.title for check in suite(kind).checks]
    assert sorted(titles) == sorted(DEFECTS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_required_value_stops_the_run_and_oddities_do_not(kind: str) -> None:
    severities = {check.title: check.severity for check in suite(kind).checks}
    required = {title for title in severities if title.startswith("Every ")}
    assert required
    assert {severities[title] for title in required} == {"critical"}
    oddities = {title for title in severities if title.startswith(("Hardly", "At ", "All "))}
    assert {severities[title] for title in oddities} <= {"warning"}


def test_refunds_with_the_wrong_sign_stop_the_run() -> None:
    severities = {check.title[:28]: check.severity for check in suite("refunds").checks}
    assert severities["Refunds are positive amounts"] == "critical"


def test_an_empty_kind_passes(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        for kind in KINDS:
            connection.execute(f"DELETE FROM raw.{kind}")
    results = run(warehouse, [suite(kind) for kind in KINDS])
    assert [result for result in results if not result.success] == []


def test_no_personal_value_is_shown(
    defect_results: dict[tuple[str, str], CheckResult],
) -> None:
    contacts = [r for (kind, _), r in defect_results.items() if kind == "contacts"]
    assert not any("example.org" in r.details + r.observed or "+49" in r.details for r in contacts)


def test_lines_alone_may_name_their_own_customers(warehouse: Path) -> None:
    """A shop that delivers only order lines, or only orders with customers, is not warned."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("DELETE FROM raw.orders")
        connection.execute("UPDATE raw.order_lines SET customer_id = NULL")
    results = {result.title: result for result in run(warehouse, [suite("order_lines")])}
    for title in (
        "At least half of the order lines that can name a customer do",
        "At most 2 % of order lines belong to orders we do not know",
    ):
        assert results[title].success
        assert results[title].observed == "nothing to measure"


def test_suites_are_declared_without_great_expectations() -> None:
    lines = suite("order_lines")
    assert lines.table == "raw.order_lines"
    assert replace(lines, name="x").checks == lines.checks
