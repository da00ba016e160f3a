from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tessera.demo import company
from tessera.demo.personas import PERSONAS

CUSTOMERS = 800  # of the fixtures


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("file_format", ["exports", "parquet"])
def test_same_arguments_same_bytes(tmp_path, file_format):
    for name in ("one", "two"):
        company.write(
            duckdb.connect(), tmp_path / name / "in", tmp_path / name / "t", 150, 50, 7, file_format
        )
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_seed_another_company(tmp_path):
    for seed in (1, 2):
        root = tmp_path / str(seed)
        company.write(duckdb.connect(), root / "in", root / "t", 30, 60, seed)
    one, two = digests(tmp_path / "1"), digests(tmp_path / "2")
    assert one["in/crm/contacts-2025-12-31.csv"] != two["in/crm/contacts-2025-12-31.csv"]


def test_default_names_and_months(text):
    names = set(digests(text.out))
    assert {"crm/contacts-2025-12-31.csv", "crm/consents-2025-12-31.csv", "shop/products.csv",
            "social/follows-2025-12-31.jsonl", "web/events-2024-01.jsonl.gz",
            "web/events-2025-12.jsonl.gz", "support/tickets-2025-12.csv"} <= names  # fmt: skip
    assert len([name for name in names if name.startswith("shop/orders-")]) == 24 + 1  # re-sent


def test_counts_are_those_of_the_files(typed):
    for kind, folder in {
        "contacts": "crm/contacts", "orders": "shop/orders", "web_events": "web/events",
        "posts": "social/posts", "campaign_events": "campaigns/events",
    }.items():  # fmt: skip
        paths = [p for p in typed.out.glob(f"{folder}-*") if "resent" not in p.name]
        assert sum(pq.read_metadata(path).num_rows for path in paths) == typed.counts[kind]


def test_both_formats_hold_the_same_company(text, typed):
    same = ("consents", "products", "follows", "refunds", "tickets", "app_events")
    assert {k: text.counts[k] for k in same} == {k: typed.counts[k] for k in same}
    for column in ("order_id", "sku", "line"):
        query = f"SELECT DISTINCT {column}::VARCHAR FROM order_lines WHERE {column} IS NOT NULL"
        missing = set(typed.sql(query)) - set(text.sql(query))
        assert len(missing) < 10  # lines with too many columns are not read here


def test_sizes_are_near_the_budget(typed):
    assert 8 < typed.counts["orders"] / CUSTOMERS < 12
    assert 80 < typed.counts["web_events"] / CUSTOMERS < 125


def test_lines_orders_products_and_refunds_fit_together(typed):
    assert typed.value("SELECT count(*) FROM order_lines ANTI JOIN orders USING (order_id)") == 0
    assert typed.value("SELECT count(*) FROM orders ANTI JOIN order_lines USING (order_id)") == 0
    assert typed.value("SELECT count(*) FROM refunds ANTI JOIN orders USING (order_id)") == 0
    orphans = "FROM order_lines ANTI JOIN products USING (sku) WHERE sku IS NOT NULL"
    assert typed.value(f"SELECT count(*) {orphans}") == 0
    orphans = "FROM orders o ANTI JOIN contacts c ON o.customer_id = c.contact_id"
    assert typed.value(f"SELECT count(*) {orphans} WHERE customer_id IS NOT NULL") == 0


def test_order_totals_are_the_sums_of_their_lines(typed):
    wrong = typed.sql("""
        SELECT order_id FROM (SELECT DISTINCT order_id, total_amount FROM orders)
        JOIN (SELECT order_id, sum(quantity * unit_price - discount_amount) AS lines
              FROM (SELECT DISTINCT * EXCLUDE (sku) FROM order_lines) GROUP BY ALL)
        USING (order_id) WHERE lines <> total_amount
    """)
    assert wrong == []


def test_web_orders_and_shop_orders_agree(typed):
    orders = "SELECT DISTINCT order_id, total_amount, customer_id FROM orders WHERE NOT is_test"
    assert (
        typed.value(f"""
        SELECT count(*) FROM web_events e ANTI JOIN ({orders}) o
        ON o.order_id = e.properties.order_id AND o.total_amount = e.properties.revenue
        AND o.customer_id IS NOT DISTINCT FROM e."userId"
        WHERE e.event = 'Order Completed'
    """)
        == 0
    )
    assert (
        typed.value("""
        SELECT count(*) FROM orders o ANTI JOIN web_events e ON o.order_id = e.properties.order_id
        WHERE o.channel = 'web' AND NOT o.is_test
    """)
        == 0
    )


def test_nothing_happens_outside_the_window(typed):
    for table, column in {
        "orders": "created_at", "web_events": "timestamp", "posts": "created_at",
        "refunds": "refunded_at", "app_events": "occurred_at", "tickets": "opened_at",
        "survey_answers": "answered_at", "campaign_events": "occurred_at",
    }.items():  # fmt: skip
        low, high = typed.sql(f"SELECT min({column})::DATE, max({column})::DATE FROM {table}")[0]
        assert str(low) >= "2024-01-02"
        assert str(high) <= "2025-12-31"


def test_guests_have_an_email_but_no_customer(typed):
    guests = typed.sql("SELECT order_id, email FROM orders WHERE customer_id IS NULL")
    unknown = typed.dirt("missing_email", "orders")
    assert 0.005 < len(guests) / typed.counts["orders"] < 0.06
    assert all(email or order in unknown for order, email in guests)


def test_truth_gives_the_rfm_of_clean_orders(typed):
    """Recompute RFM in SQL from the Parquet exports, by hand and without guests."""
    rows = typed.sql(f"""
        WITH sales AS (
            SELECT DISTINCT order_id, customer_id, total_amount, created_at FROM orders
            WHERE NOT is_test AND status NOT IN ('cancelled', 'failed') AND customer_id IS NOT NULL
        ),
        returned AS (
            SELECT customer_id, sum(amount) AS refunds FROM refunds JOIN sales USING (order_id)
            GROUP BY ALL
        ),
        mine AS (
            SELECT customer_id, DATE '2026-01-01' - max(created_at)::DATE AS recency_days,
                   count(*) AS frequency, sum(total_amount) AS gross FROM sales GROUP BY ALL
        )
        SELECT count(*) FROM '{typed.truth}/customers.parquet' t
        LEFT JOIN mine USING (customer_id) LEFT JOIN returned USING (customer_id)
        WHERE t.recency_days IS DISTINCT FROM mine.recency_days
           OR t.frequency <> coalesce(mine.frequency, 0)
           OR t.monetary <> coalesce(gross, 0) - coalesce(returned.refunds, 0)
    """)
    assert rows == [(0,)]


def test_every_customer_has_a_persona_and_few_have_two_accounts(typed):
    rows = typed.sql(
        f"SELECT customer_id, person_id, persona FROM '{typed.truth}/customers.parquet'"
    )
    assert len(rows) == len({row[0] for row in rows}) == CUSTOMERS
    assert {row[2] for row in rows} == {persona.name for persona in PERSONAS}
    assert 0 < 1 - len({row[1] for row in rows}) / len(rows) <= 0.03
    persons = typed.value(f"SELECT count(*) FROM '{typed.truth}/persons.parquet'")
    assert persons == len({row[1] for row in rows})


def test_the_truth_is_not_among_the_exports(text, typed):
    for written in (text, typed):
        names = " ".join(digests(written.out))
        assert not any(word in names for word in ("truth", "persona", "person", "bots", "dirt"))
    content = b"".join(p.read_bytes() for p in text.out.rglob("*.csv"))
    assert b"person_id" not in content
    assert not any(persona.name.encode() in content for persona in PERSONAS)


def test_connection_is_left_as_it_was(tmp_path):
    connection = duckdb.connect()
    company.write(connection, tmp_path / "in", tmp_path / "t", 5, 30)
    assert connection.sql("SHOW ALL TABLES").fetchall() == []


def test_large_companies_come_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(company, "CHUNK", 40)
    monkeypatch.setattr("tessera.demo.spool.HELD", 250)
    out = tmp_path / "in"
    counts = company.write(duckdb.connect(), out, tmp_path / "t", 120, 50, 3, "parquet")
    parts = sorted(out.glob("web/events-2025-12-part*.parquet"))
    assert len(parts) > 1
    found = duckdb.sql(
        f"SELECT count(*), count(DISTINCT \"messageId\") FROM '{out}/web/events-*.parquet'"
    ).fetchall()[0]
    assert counts["web_events"] - 20 < found[1] <= found[0] == counts["web_events"]
    orders = duckdb.sql(f"SELECT order_id FROM '{out}/shop/orders-*[0-9].parquet'").fetchall()
    assert len(set(orders)) >= counts["orders"] - 10


@pytest.mark.parametrize(("customers", "days"), [(1, 7), (10, 30), (3, 200)])
@pytest.mark.parametrize("file_format", ["exports", "parquet"])
def test_small_companies_work(tmp_path, customers, days, file_format):
    counts = company.write(
        duckdb.connect(), tmp_path / "in", tmp_path / "t", customers, days, 5, file_format
    )
    assert counts["contacts"] == customers
    assert counts["products"] > 0
    assert set(counts) == {
        "contacts", "consents", "demographics", "orders", "order_lines", "refunds", "products",
        "web_events",
        "app_events", "posts", "follows", "tickets", "survey_answers", "campaign_events",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"customers": 0}, "customers must lie between 1"),
        ({"customers": -3}, "customers must lie between 1"),
        ({"days": 1}, "days must lie between 7"),
        ({"seed": -1}, "seed must not be negative"),
        ({"file_format": "xml"}, "'exports' or 'parquet', not 'xml'"),
    ],
)
def test_impossible_arguments_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        company.write(duckdb.connect(), tmp_path / "in", tmp_path / "t", **options)
    assert not list(tmp_path.iterdir())


def test_truth_inside_the_exports_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must not lie among the exports"):
        company.write(duckdb.connect(), tmp_path, tmp_path / "truth", 10)
