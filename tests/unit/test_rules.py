from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tessera import rules, settings, warehouse
from tessera.micro_segments import find
from tessera.settings import Settings, SettingsError
from tessera.settings_rules import MicroSegments, Rule, Trigger

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 1, 1)
WEEK = timedelta(days=7)
COLUMNS = {
    "frequency": "bigint", "gross_revenue": "decimal(18, 4)", "lifecycle_stage": "varchar",
    "main_topic_id": "varchar", "main_topic": "varchar", "favourite_category": "varchar",
    "community_id": "varchar",
}  # fmt: skip


@pytest.fixture
def ml(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The tables of the ml floor, and a day's features of ten customers."""
    connection.execute(warehouse.SCHEMA)
    connection.execute("create schema features")
    connection.execute("create table features.feature_catalogue (name varchar, data_type varchar)")
    connection.executemany(
        "insert into features.feature_catalogue values (?, ?)", list(COLUMNS.items())
    )
    described = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
    connection.execute(
        f"create table features.customer_features (customer_id varchar, as_of date, {described})"
    )
    return connection


def see(
    ml: duckdb.DuckDBPyConnection,
    as_of: date,
    orders: list[int],
    topics: str = "",
    segment: str = "s1",
) -> None:
    """A run's features and segments: customers c0 …, each with so many orders of 10 euros each."""
    ml.execute("delete from features.customer_features")
    ml.execute("delete from ml.assignments where as_of = ?", [as_of])
    for n, count in enumerate(orders):
        topic = topics[n] if topics else None
        ml.execute(
            "insert into features.customer_features by name select ? as customer_id, ? as as_of, "
            "? as frequency, ? as gross_revenue, ? as main_topic_id, ? as main_topic",
            [f"c{n}", as_of, count, count * 10, topic, f"about {topic}"],
        )
        ml.execute(
            "insert into ml.assignments (customer_id, as_of, segment_id) values (?, ?, ?)",
            [f"c{n}", as_of, "s1" if count else "without-purchase"],
        )


def told(**sections: object) -> Settings:
    loaded = settings.load(ROOT / "settings.toml")
    return loaded.model_copy(update={"rules": {}, "triggers": {}, **sections})


REGULARS = told(rules={"regulars": Rule(when="frequency >= 3"), "any": Rule(when="frequency > 0")})


def rows(ml: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:  # type: ignore[type-arg]
    return ml.execute(query).fetchall()


def test_a_rule_is_a_segment_with_its_size_and_overlaps(ml: duckdb.DuckDBPyConnection) -> None:
    see(ml, DAY, [0, 1, 3, 4])
    assert rules.apply(ml, REGULARS, DAY).startswith("2 rules, 0 triggers fired 0 times")
    assert rows(ml, "select rule, customer_id from ml.customer_rules order by all") == [
        ("any", "c1"), ("any", "c2"), ("any", "c3"), ("regulars", "c2"), ("regulars", "c3"),
    ]  # fmt: skip
    found = "select rule, customers, customer_share, gross_revenue::int, revenue_share, joined"
    assert rows(ml, f"{found} from ml.rule_segments order by rule") == [
        ("any", 3, 0.75, 80, 1.0, None), ("regulars", 2, 0.5, 70, 0.875, None),
    ]  # fmt: skip
    found = "select rule, other_kind, other, customers, share_of_rule, share_of_other, jaccard"
    assert rows(ml, f"{found}, lift from ml.rule_overlaps where rule = 'regulars'") == [
        ("regulars", "rule", "any", 2, 1.0, 2 / 3, 2 / 3, 4 / 3),
        ("regulars", "segment", "s1", 2, 1.0, 2 / 3, 2 / 3, 4 / 3),
    ]


def test_the_history_says_who_came_and_went(ml: duckdb.DuckDBPyConnection) -> None:
    see(ml, DAY, [3, 3, 1])
    rules.apply(ml, REGULARS, DAY)
    see(ml, DAY + WEEK, [3, 1, 3, 3])
    rules.apply(ml, REGULARS, DAY + WEEK)
    found = "select customers, previous_as_of, joined, gone from ml.rule_segments"
    assert rows(ml, f"{found} where rule = 'regulars' order by as_of") == [
        (2, None, None, None), (3, DAY, 2, 1),
    ]  # fmt: skip


def test_a_day_again_is_the_same_and_later_days_are_not_looked_at(
    ml: duckdb.DuckDBPyConnection,
) -> None:
    asked = told(
        rules={"regulars": Rule(when="frequency >= 3")},
        triggers={"third": Trigger(when="frequency >= 3")},
        micro_segments=MicroSegments(min_customers=5, min_share=0),
    )
    for week, orders in enumerate(([1, 3, 0], [3, 3, 0], [3, 3, 3])):
        see(ml, DAY + week * WEEK, orders)
        rules.apply(ml, asked, DAY + week * WEEK)
    tables = [*rules.TABLES, "micro_segments"]
    before = [rows(ml, f"from ml.{table} order by all") for table in tables]
    see(ml, DAY + WEEK, [3, 3, 0])
    rules.apply(ml, asked, DAY + WEEK)
    assert [rows(ml, f"from ml.{table} order by all") for table in tables] == before


def fired(ml: duckdb.DuckDBPyConnection, asked: Settings, weeks: list[list[int]]) -> list[str]:
    for week, orders in enumerate(weeks):
        see(ml, DAY + week * WEEK, orders)
        rules.apply(ml, asked, DAY + week * WEEK)
    return [
        f"{(as_of - DAY).days // 7} {customer}"
        for as_of, customer in rows(
            ml, "select as_of, customer_id from ml.trigger_events order by all"
        )
    ]


def test_a_trigger_fires_when_it_begins_to_hold(ml: duckdb.DuckDBPyConnection) -> None:
    asked = told(triggers={"third": Trigger(when="frequency >= 3")})
    # c0 held before anybody looked; c3 is new and holds at once.
    assert fired(ml, asked, [[5, 2], [5, 3, 1], [6, 4, 1, 3], [6, 2, 3, 3]]) == [
        "1 c1", "2 c3", "3 c2",
    ]  # fmt: skip
    found = rows(ml, "select customers, fired from ml.triggers order by as_of")
    assert found == [(1, None), (2, 1), (3, 1), (3, 1)]


def test_a_trigger_is_quiet_for_a_while(ml: duckdb.DuckDBPyConnection) -> None:
    weeks = [[9], [1], [9], [1], [9], [1]]
    trigger = Trigger(when="frequency < 3", quiet_days=15)
    assert fired(ml, told(triggers={"low": trigger}), weeks) == ["1 c0", "5 c0"]


def test_another_condition_under_the_same_name_begins_anew(ml: duckdb.DuckDBPyConnection) -> None:
    see(ml, DAY, [1, 5])
    rules.apply(ml, told(triggers={"t": Trigger(when="frequency >= 9")}), DAY)
    see(ml, DAY + WEEK, [1, 5])
    rules.apply(ml, told(triggers={"t": Trigger(when="frequency >= 3")}), DAY + WEEK)
    assert rows(ml, "from ml.trigger_events") == []
    assert rows(ml, "select previous_as_of, fired from ml.triggers order by as_of") == [
        (None, None), (None, None),
    ]  # fmt: skip


def test_nobody_is_a_rule_too(ml: duckdb.DuckDBPyConnection) -> None:
    rules.apply(ml, REGULARS, DAY)
    found = rows(ml, "select customers, customer_share, revenue_share from ml.rule_segments")
    assert found == [(0, None, None)] * 2


@pytest.mark.parametrize(
    ("rule", "told_where"),
    [
        (
            "frequancy > 3",
            r"rules\.bad\.when: unknown column 'frequancy'; did you mean 'frequency'",
        ),
        ("customer_id = 'c1'", r"rules\.bad\.when: unknown column 'customer_id'"),
        ("frequency = 'x'", r"rules\.bad\.when: compares"),
    ],
)
def test_a_rule_that_cannot_be_applied_leaves_the_day_as_it_was(
    ml: duckdb.DuckDBPyConnection, rule: str, told_where: str
) -> None:
    see(ml, DAY, [3, 0])
    rules.apply(ml, REGULARS, DAY)
    before = rows(ml, "from ml.customer_rules order by all")
    bad = told(rules={"good": Rule(when="frequency > 0"), "bad": Rule(when=rule)})
    with pytest.raises(SettingsError, match=told_where):
        rules.apply(ml, bad, DAY)
    assert rows(ml, "from ml.customer_rules order by all") == before


def test_a_failure_on_the_way_leaves_the_day_as_it_was(
    ml: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(ml, DAY, [3, 0])
    rules.apply(ml, REGULARS, DAY)
    before = rows(ml, "from ml.customer_rules order by all")
    monkeypatch.setattr(rules, "OVERLAPS", "select * from nowhere")
    with pytest.raises(duckdb.CatalogException):
        rules.apply(ml, told(rules={"all": Rule(when="frequency >= 0")}), DAY)
    assert rows(ml, "from ml.customer_rules order by all") == before


@pytest.mark.parametrize("section", ["rules", "triggers"])
def test_settings_refuse_what_is_no_condition(tmp_path: Path, section: str) -> None:
    text = (ROOT / "settings.toml").read_text(encoding="utf-8")
    file = tmp_path / "settings.toml"
    bad = '"frequency > 1; drop table ml.assignments"'
    file.write_text(f"{text}\n[{section}.bad]\nwhen = {bad}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=rf"{section}\.bad\.when: is not one condition"):
        settings.load(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[lifecycle]\nslipping_ratio = 4", r"slipping_ratio \(4.0\) must be below dormant_ratio"),
        ("[lifecycle]\nonboarding = 4", "did you mean 'onboarding_days'"),
        ("[rules.a]\nwhen = 'frequency > 1'\nquiet_days = 3", "rules.a.quiet_days: unknown key"),
        ("[micro_segments]\nmin_customers = 1", "micro_segments.min_customers"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "settings.toml"
    orders = "[sources.o]\nkind = 'orders'\nfiles = 'o*'\n"
    file.write_text(f"{text}\n{orders}columns = {{ order_id = 'a', ordered_at = 'b' }}\n")
    with pytest.raises(SettingsError, match=said):
        settings.load(file)


def test_the_rules_of_the_settings_keep_the_contract() -> None:
    """The defaults name columns that there are; dbt's contract says so in _features.yml."""
    import yaml

    file = ROOT / "dbt_project" / "models" / "features" / "_features.yml"
    models = yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
    contract = {c["name"]: c["data_type"] for c in models[0]["columns"]}
    columns = {**contract, **rules.SEGMENT_COLUMNS}
    loaded = settings.load(ROOT / "settings.toml")
    for kind, section in (("rules", loaded.rules), ("triggers", loaded.triggers)):
        for name, asked in section.items():
            assert rules.compiled(kind, name, asked, columns)
        assert section


def groups(ml: duckdb.DuckDBPyConnection, as_of: date, **limits: float) -> list[tuple]:  # type: ignore[type-arg]
    ml.execute(rules.POPULATION.format(columns="features.*"), {"as_of": as_of})
    find(ml, MicroSegments(**{"min_customers": 5, "min_share": 0.0, **limits}), as_of)  # type: ignore[arg-type]
    return rows(
        ml,
        "select micro_segment_id, label, customers, round(share_of_segment, 3), round(lift, 3), "
        f"stability, is_stable from ml.micro_segments where as_of = '{as_of}' order by all",
    )


def test_micro_segments_are_large_and_stable(ml: duckdb.DuckDBPyConnection) -> None:
    see(ml, DAY, [1] * 16, "a" * 6 + "b" * 5 + "c" * 4 + "d")
    first = groups(ml, DAY)
    assert first == [
        ("s1/topic/a", "about a", 6, 0.375, 1.0, None, False),
        ("s1/topic/b", "about b", 5, 0.313, 1.0, None, False),
    ]
    # One of a has gone to b, c has grown; five customers are new and do not count against a.
    see(ml, DAY + WEEK, [1] * 21, "a" * 5 + "b" * 6 + "c" * 5 + "a" * 5)
    assert [row[::5] + row[6:] for row in groups(ml, DAY + WEEK)] == [
        ("s1/topic/a", 5 / 6, True), ("s1/topic/b", 5 / 6, True), ("s1/topic/c", None, False),
    ]  # fmt: skip
    assert [row[6] for row in groups(ml, DAY + WEEK, min_stability=0.9)] == [False] * 3
    assert groups(ml, DAY + WEEK, min_share=0.3) == groups(ml, DAY + WEEK)[:1]
    see(ml, DAY, [1] * 16, "a" * 6 + "b" * 5 + "c" * 4 + "d")
    assert groups(ml, DAY, min_customers=6) == first[:1]
