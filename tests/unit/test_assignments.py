"""From run to run in the tables: champions, moves, operators' words, files that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tessera import assignments, champions, fits, registry, settings, warehouse

ROOT = Path(__file__).resolve().parents[2]
FIRST, NOW = date(2026, 1, 5), datetime(2026, 2, 1)
# Three kinds of customers, a week older each week; some never bought.
FEATURES = """
    create schema features;
    create table features.customer_features as
    select 'c' || lpad(i::varchar, 3, '0') as customer_id, date '2026-01-05' as as_of,
           case when i % 10 > 0 then ([2, 30, 3])[i % 3 + 1] + i % 2 else 0 end::bigint
               as frequency,
           (([9, 5, 250])[i % 3 + 1] + i % 7)::integer as recency_days,
           (([90, 2000, 120])[i % 3 + 1] + i % 50)::decimal(18, 4) as monetary,
           (([45, 1000, 6])[i % 3 + 1] + i % 50 / 2)::double as decayed_monetary,
           (([0.5, 0.4, 5])[i % 3 + 1] + i % 7 / 10)::double as overdue_ratio,
           (([60, 600, 500])[i % 3 + 1] + i % 20)::integer as tenure_days,
           ([0.1, 0.2, 0.8])[i % 3 + 1] + (i % 5) / 100 as discount_share,
           (([12, 50, 1])[i % 3 + 1] + i % 4)::double as engagement_score,
           null::double as mean_sentiment
    from range(300) r(i)
"""
# One of the best customers as one of those who went away.
GONE = {"frequency": 3.0, "recency_days": 252.0, "monetary": 130.0, "decayed_monetary": 6.0,
        "overdue_ratio": 5.0, "tenure_days": 505.0, "discount_share": 0.8,
        "engagement_score": 1.0}  # fmt: skip
TABLES = ("assignments", "moves", "lineage", "segment_names", "champions", "champion_segments",
          "model_gates", "assignment_inputs")  # fmt: skip


def day(week: int) -> date:
    return FIRST + timedelta(weeks=week)


class Shop:
    """A warehouse in which weeks go by."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.connection = connection
        read = settings.load(ROOT / "settings.toml")
        quick = read.segmentation.model_copy(update={"resamples": 2, "k_max": 4})
        self.told = read.model_copy(update={"data_dir": folder, "segmentation": quick})

    def let(self, **changes: dict[str, Any]) -> None:
        """Change settings: section = {key: value}."""
        for name, values in changes.items():
            section = getattr(self.told, name).model_copy(update=values)
            self.told = self.told.model_copy(update={name: section})

    def run(self, week: int, *, fit: bool = True) -> assignments.Assigned:
        """The steps of a week; the customers are as they are, a week older."""
        as_of = day(week)
        self.connection.execute("update features.customer_features set as_of = ?", [as_of])
        customers = fits.read_customers(self.connection, as_of)
        if fit:
            champion = fits.in_use(self.connection, self.told, as_of)
            found = fits.fit(customers, self.told, as_of, champion)
            fits.write(self.connection, found, self.told, as_of, NOW)
        return assignments.assign(self.connection, self.told, customers, as_of, NOW)

    def change(self, condition: str, **values: object) -> None:
        told = ", ".join(f"{name} = {value}" for name, value in values.items())
        self.connection.execute(f"update features.customer_features set {told} where {condition}")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def everything(self, week: int) -> dict[str, list[tuple[Any, ...]]]:
        return {
            table: self.ask(f"from ml.{table} where as_of = '{day(week)}' order by all")
            for table in TABLES
        }


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with duckdb.connect() as connection:
        connection.execute(warehouse.SCHEMA)
        connection.execute(FEATURES)
        yield Shop(connection, tmp_path)


def test_the_first_run_puts_everybody_somewhere(shop: Shop) -> None:
    done = shop.run(0)
    found = shop.ask(
        "select count(*), count(distinct customer_id), count(distinct model_id), "
        "count(*) filter (segment_id = 'without-purchase'), count(*) filter (distance is null), "
        "bool_and(segment_name is not null) from ml.assignments"
    )
    assert found == [(300, 300, 1, 30, 30, True)]
    ids = {row[0] for row in shop.ask("select distinct segment_id from ml.assignments")}
    assert ids == {"s1", "s2", "s3", "without-purchase"}
    assert shop.ask("select distinct event from ml.lineage") == [("born",)]
    assert shop.ask("from ml.moves") == [], "there is no run before that they could have left"
    assert set(done.stability) == {"s1", "s2", "s3"}
    assert done.told.startswith("270 customers in 3 segments by kmeans-2026-01-05")


def test_a_quiet_week_moves_nobody_and_a_second_run_changes_nothing(shop: Shop) -> None:
    shop.run(0)
    shop.run(1)
    assert shop.ask("from ml.moves") == []
    events = shop.ask(f"select event, segment_id from ml.lineage where as_of = '{day(1)}'")
    assert sorted(events) == [("continued", "s1"), ("continued", "s2"), ("continued", "s3")]
    before = shop.everything(1)
    shop.run(1)
    assert shop.everything(1) == before


def test_what_comes_later_changes_no_earlier_day(shop: Shop) -> None:
    shop.run(0)
    shop.run(1)
    before = shop.everything(1)
    shop.run(2)
    shop.run(1)
    assert shop.everything(1) == before


def test_who_changes_moves_by_behaviour(shop: Shop) -> None:
    shop.run(0)
    (home,), (away,) = (
        shop.ask(f"select segment_id from ml.assignments where customer_id = '{name}'")[0]
        for name in ("c001", "c002")
    )
    shop.change("customer_id = 'c001'", **GONE)
    done = shop.run(1)
    assert shop.ask("select customer_id, from_segment_id, to_segment_id, cause from ml.moves") == [
        ("c001", home, away, "behaviour")
    ]
    assert "1 moved (1 behaviour)" in done.told


def test_a_first_purchase_and_one_that_was_taken_back(shop: Shop) -> None:
    shop.run(0)
    shop.change("customer_id = 'c010'", frequency=12)
    shop.change("customer_id = 'c001'", frequency=0)
    shop.connection.execute(
        "insert into features.customer_features "
        "select * replace ('n' as customer_id) from features.customer_features "
        "where customer_id = 'c002'"
    )
    shop.run(1)
    found = shop.ask("select customer_id, from_segment_id, cause from ml.moves order by 1")
    assert found[1:] == [("c010", "without-purchase", "new"), ("n", None, "new")]
    assert found[0][0] == "c001" and found[0][2] == "correction"
    assert shop.ask("select to_segment_id from ml.moves where customer_id = 'c001'") == [
        ("without-purchase",)
    ]


def _refused_week(shop: Shop) -> assignments.Assigned:
    """A second week whose fit has more segments, which the gates do not let through."""
    shop.run(0)
    shop.let(gates={"upheaval": 0.0}, segmentation={"k_min": 4})
    return shop.run(1)


def test_a_challenger_that_fails_a_gate_assigns_nobody(shop: Shop) -> None:
    done = _refused_week(shop)
    assert done.told.startswith("warning: This week's fit does not go live: ")
    assigning = shop.ask("select distinct model_id from ml.assignments")
    (first,) = shop.ask(f"select model_id from ml.fits where as_of = '{day(0)}'")
    (second,) = shop.ask(f"select model_id from ml.fits where as_of = '{day(1)}'")
    assert assigning == [first] and second != first
    gates = shop.ask(
        f"select distinct model_id, is_promoted from ml.model_gates where as_of = '{day(1)}'"
    )
    assert gates == [(*second, False)]
    failed = shop.ask("select gate from ml.model_gates where not passed")
    assert ("upheaval",) in failed
    history = shop.ask("select model_id, status from ops.model_events order by seq")
    assert history == [(*first, "fitted"), (*first, "promoted"), (*second, "fitted"),
                       (*second, "kept back")]  # fmt: skip


def test_an_operator_lets_it_assign_all_the_same_and_takes_it_back(shop: Shop) -> None:
    _refused_week(shop)
    (first, second) = (row[0] for row in shop.ask("select model_id from ml.fits order by as_of"))
    champions.promote(shop.connection, second, "it sells", NOW)
    shop.run(2)
    of = f"select distinct model_id from ml.assignments where as_of = '{day(2)}'"
    assert shop.ask(of) == [(second,)]
    champions.rollback(shop.connection, None, NOW)
    shop.run(3)
    assert shop.ask(of.replace(str(day(2)), str(day(3)))) == [(first,)]
    before = shop.everything(3)
    shop.run(3)
    assert shop.everything(3) == before, "the word is obeyed again"
    shop.run(4)
    words = "select word from ml.champions order by as_of"
    assert [word for (word,) in shop.ask(words)] == [0, 0, 1, 2, 2]


def test_between_fits_the_champion_assigns_who_is_new(shop: Shop) -> None:
    shop.run(0)
    shop.connection.execute(
        "insert into features.customer_features "
        "select * replace ('n' as customer_id) from features.customer_features "
        "where customer_id = 'c002'"
    )
    shop.run(1, fit=False)
    assert shop.ask("select count(*) from ml.fits") == [(1,)]
    assert shop.ask("select customer_id, cause from ml.moves") == [("n", "new")]
    (hers, twins) = shop.ask(
        f"select segment_id from ml.assignments where as_of = '{day(1)}' "
        "and customer_id in ('n', 'c002')"
    )
    assert hers == twins
    assert shop.ask(f"from ml.model_gates where as_of = '{day(1)}'") == []


def test_without_any_fit_nobody_is_assigned(shop: Shop) -> None:
    with pytest.raises(ValueError, match="`tessera run fit_segments` fits one"):
        shop.run(0, fit=False)


def test_a_champion_that_was_tampered_with_stops_the_run_and_nothing_changes(shop: Shop) -> None:
    shop.run(0)
    before = shop.everything(0)
    (file,) = (shop.told.artifacts_dir / registry.FOLDER).iterdir()
    file.write_bytes(b"something else")
    with pytest.raises(registry.ModelRefused, match="not the one that was saved"):
        shop.run(1)
    assert shop.everything(0) == before
    assert shop.everything(1)["assignments"] == []


def test_features_of_another_version_stop_the_run_until_an_operator_decides(shop: Shop) -> None:
    shop.run(0)
    shop.let(features={"engagement_half_life_days": 45})
    with pytest.raises(registry.ModelRefused, match="engagement_half_life_days was 30, is 45"):
        shop.run(1)
    (fresh,) = shop.ask(f"select model_id from ml.fits where as_of = '{day(1)}'")
    champions.promote(shop.connection, fresh[0], "the features are better now", NOW)
    shop.run(1)
    assert shop.ask(f"select distinct model_id from ml.assignments where as_of = '{day(1)}'") == [
        fresh
    ]
    ids = {row[0] for row in shop.ask("select distinct segment_id from ml.assignments")}
    assert ids == {"s1", "s2", "s3", "without-purchase"}, "the segments are the same ones"
    assert shop.ask("select count(*) from ml.moves") == [(0,)]


def test_a_feature_missing_at_assignment_is_named(shop: Shop) -> None:
    shop.run(0)
    shop.connection.execute("alter table features.customer_features drop column tenure_days")
    with pytest.raises(ValueError, match="tenure_days"):
        shop.run(1)


def test_late_data_is_a_correction(shop: Shop) -> None:
    shop.run(0)
    shop.change("customer_id = 'c001'", **GONE)
    told: dict[str, float | None] = {**GONE, "mean_sentiment": None}
    rows = [(day(1), day(0), "c001", name, value) for name, value in told.items()]
    shop.connection.executemany("insert into ml.restated_inputs values (?, ?, ?, ?, ?)", rows)
    shop.run(1)
    assert shop.ask("select customer_id, cause from ml.moves") == [("c001", "correction")]


def test_what_was_known_is_kept_of_two_days(shop: Shop) -> None:
    for week in range(3):
        shop.run(week)
    assert shop.ask("select distinct as_of from ml.assignment_inputs order by 1") == [
        (day(1),), (day(2),)
    ]  # fmt: skip
    ((features,),) = shop.ask("select count(distinct feature) from ml.assignment_inputs")
    assert features == 9, "what has no value is kept as well"
