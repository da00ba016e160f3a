"""`make run` on the UCI Online Retail data: real input, by settings alone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from tessera.privacy.pseudonym import pseudonym
from tests.conftest import shared
from tests.pipeline.conftest import Finished, make_run

SETTINGS = "examples/online_retail/settings.toml"
AS_OF = pd.Timestamp("2011-12-10")


@pytest.fixture(scope="module")
def exports() -> Path:
    return shared("online-retail/by-day")


@pytest.fixture(scope="module")
def run(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    data = tmp_path_factory.mktemp("retail")
    (data / "inbox").symlink_to(exports)
    done = make_run(data, SETTINGS)
    assert done.code == 0, done.output
    return done


@pytest.fixture(scope="module")
def lines(exports: Path) -> pd.DataFrame:
    """The export as pandas reads it, with no line of ours in between."""
    files = sorted(exports.glob("*.csv"))
    read = pd.concat(pd.read_csv(file, dtype=str, keep_default_na=False) for file in files)
    return pd.DataFrame(
        {
            "order_id": read["InvoiceNo"],
            "customer_id": read["CustomerID"].str.removesuffix(".0"),
            "ordered_at": pd.to_datetime(read["InvoiceDate"]),
            "quantity": read["Quantity"].astype(int),
            "price": read["UnitPrice"].map(Decimal),
            "amount": [
                Decimal(quantity) * Decimal(price)
                for quantity, price in zip(read["Quantity"], read["UnitPrice"], strict=True)
            ],
        }
    )


def test_no_row_is_lost(run: Finished) -> None:
    query = (
        "select count(*), sum(rows_read), sum(rows_loaded), sum(rows_quarantined) from ops.loads"
    )
    assert run.query(query) == [(305, 541_909, 541_909, 0)]


def test_rows_without_customer_are_anonymous_revenue_and_no_customers(
    run: Finished, lines: pd.DataFrame
) -> None:
    query = "select count(*) from staging.stg_shop__order_lines where account_id is null"
    assert run.query(query) == [(135_080,)]
    anonymous = lines[(lines.customer_id == "") & (lines.price > 0) & (lines.quantity > 0)]
    query = (
        "select gross_revenue from intermediate.int_order_revenue_balanced "
        "where destination = 'anonymous'"
    )
    assert run.query(query) == [(anonymous.amount.sum(),)]
    query = "select count(*) from features.customer_features where customer_id is null"
    assert run.query(query) == [(0,)]


def test_cancellations_are_refunds_not_orders(run: Finished, lines: pd.DataFrame) -> None:
    query = (
        "select count(*), count(distinct order_id) from intermediate.int_order_lines_classified "
        "where line_kind = 'refund'"
    )
    cancelled = lines[lines.order_id.str.startswith("C")]
    assert run.query(query) == [(9_288, cancelled.order_id.nunique())]
    query = "select sum(refunds) from features.customer_features"
    assert run.query(query) == [(-cancelled[cancelled.customer_id != ""].amount.sum(),)]


def test_customers_and_gross_revenue(run: Finished) -> None:
    query = (
        "select count(*), sum(gross_revenue)::decimal(18,2) from features.customer_features "
        "where frequency > 0"
    )
    assert run.query(query) == [(4_338, Decimal("8911407.90"))]


def test_rfm_equals_pandas_to_the_cent_and_to_the_day(run: Finished, lines: pd.DataFrame) -> None:
    known = lines[lines.customer_id != ""]
    sales = known[~known.order_id.str.startswith("C") & (known.quantity > 0) & (known.price > 0)]
    last_day = sales.groupby("customer_id").ordered_at.max().dt.normalize()
    expected = pd.DataFrame(
        {
            "recency_days": (AS_OF - last_day).dt.days,
            "frequency": sales.groupby("customer_id").order_id.nunique(),
            "gross_revenue": sales.groupby("customer_id").amount.sum(),
        }
    )  # fmt: skip
    refunds = -known[known.order_id.str.startswith("C")].groupby("customer_id").amount.sum()
    refunded = refunds.reindex(expected.index).fillna(Decimal(0))
    expected["monetary"] = expected.gross_revenue - refunded
    rows = run.query(
        "select customer_id, recency_days, frequency, gross_revenue, monetary "
        "from features.customer_features where frequency > 0 order by customer_id"
    )
    found = pd.DataFrame(rows, columns=["customer_id", *expected.columns]).set_index("customer_id")
    key = (run.data / "pseudonym.key").read_text().strip()
    expected.index = pd.Index(pseudonym(key, "customer", exported) for exported in expected.index)
    assert list(found.index) == sorted(expected.index)
    for column in expected.columns:
        differing = found[column] != expected[column].reindex(found.index)
        assert not differing.any(), found[differing].head()


def test_repeat_buying_is_that_of_rfm_summary(run: Finished, lines: pd.DataFrame) -> None:
    """As lifetimes and pymc-marketing define it; benchmarks/cohorts.py asks lifetimes itself."""
    sales = lines[
        (lines.customer_id != "") & ~lines.order_id.str.startswith("C")
        & (lines.quantity > 0) & (lines.price > 0)
    ]  # fmt: skip
    days = sales.groupby(["customer_id", sales.ordered_at.dt.normalize()]).amount.sum()
    repeats = days.reset_index().groupby("customer_id").agg(list)
    expected = sorted(
        (len(row.amount) - 1, (row.ordered_at[-1] - row.ordered_at[0]).days,
         (AS_OF - row.ordered_at[0]).days, float(sum(row.amount[1:])) / max(len(row.amount) - 1, 1))
        for row in repeats.itertuples()
    )  # fmt: skip
    found = run.query(
        "select repeat_purchase_days, tenure_days - recency_days, tenure_days, "
        "coalesce(repeat_day_revenue, 0) from features.customer_features where frequency > 0 "
        "order by all"
    )
    assert len(found) == 4_338
    for ours, theirs in zip(found, expected, strict=True):
        assert ours[:3] == theirs[:3]
        assert ours[3] == pytest.approx(theirs[3], abs=1e-6)


def test_cohorts_hold_every_customer_and_her_revenue(run: Finished) -> None:
    query = (
        "select sum(customers) filter (months_since = 0), sum(gross_revenue)::decimal(18,2), "
        "count(*) filter (not is_complete), max(months_since) from segments.cohorts"
    )
    assert run.published(query) == [(4_338, Decimal("8911407.90"), 13, 12)]


def test_everybody_is_in_one_published_segment(run: Finished) -> None:
    query = """
        select count(*), count(distinct customer_id), min(as_of)::varchar, max(as_of)::varchar,
               count(*) filter (segment_id = 'without-purchase')
        from segments.customer_segments
    """
    assert run.published(query) == [(4_372, 4_372, "2011-12-10", "2011-12-10", 34)]


def test_the_terminal_tells_the_story(run: Finished) -> None:
    for told in ("✓ extract_crm · load_crm", "541,909 rows loaded", "segments of 4,372 customers"):
        assert told in run.output
    assert str(run.data / "published" / "segments.duckdb") in run.output
    assert "Traceback" not in run.output
