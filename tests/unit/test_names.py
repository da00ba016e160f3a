from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from models.naming import slug
from models.naming_rules import NAME_RULES
from models.profiles import PROFILE_FEATURES
from tessera import names, settings, warehouse
from tests.unit.test_settings import ORDERS, load, refused

NOW = datetime(2026, 1, 1)
CUSTOMERS = pd.DataFrame({"frequency": [1], "monetary": [2.0], "main_topic": ["a"]})
OWLS = """
[names.rules.night-owls]
lead = "Buy at night."
action = "Send at dusk."
channel = "App"
when = [{ feature = "frequency", at_least = 0.6 }]
"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(warehouse.SCHEMA)
        opened.execute(
            "insert into ml.segment_names (as_of, segment_id, segment_name) values "
            "('2026-01-01', 's1', 'Champions'), ('2026-01-01', 's2', 'Big Spenders')"
        )
        yield opened


@pytest.fixture
def told(tmp_path: Path) -> settings.Settings:
    return load(tmp_path, ORDERS + OWLS)


def rules_of(folder: Path, text: str) -> list[str]:
    told = load(folder, ORDERS + text)
    return [rule.name for rule in names.rules_of(told.names, CUSTOMERS)]


def test_without_settings_the_built_in_names(tmp_path: Path) -> None:
    assert rules_of(tmp_path, "") == [rule.name for rule in NAME_RULES]


def test_own_rules_come_first_and_replace_by_id(tmp_path: Path) -> None:
    best = OWLS.replace("night-owls]", 'champions]\nname = "Our Best"')
    told = rules_of(tmp_path, OWLS + best)
    assert told[:2] == ["Night Owls", "Our Best"]
    assert "Champions" not in told and len(told) == len(NAME_RULES) + 1
    assert rules_of(tmp_path, f"[names]\nbuilt_in = false\n{OWLS}") == ["Night Owls"]


def test_rules_keep_their_words_and_bounds(tmp_path: Path) -> None:
    rule = names.rules_of(load(tmp_path, ORDERS + OWLS).names, CUSTOMERS)[0]
    assert (rule.lead, rule.suggested_action, rule.suggested_channel) == (
        "Buy at night", "Send at dusk.", "App"
    )  # fmt: skip
    assert (rule.conditions[0].measure, rule.conditions[0].at_least) == ("percentile", 0.6)


def test_profiles_have_the_features_of_the_rules(tmp_path: Path) -> None:
    told = load(tmp_path, ORDERS + OWLS.replace('"frequency"', '"followers"')).names
    customers = CUSTOMERS.assign(followers=1)
    assert names.features_of(names.rules_of(told, customers)) == [*PROFILE_FEATURES, "followers"]


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ('"frequency"', '"frequencies"', "night-owls: unknown feature 'frequencies'; did you mean"),
        ('"frequency"', '"main_topic"', "'main_topic' is not a number"),
        ("[names.rules.night-owls]", '[names.rules.x]\nname = "champions"', "the id 'champions'"),
        ("[names.rules.night-owls]", '[names.rules.x]\nname = "Unlike others"', "is reserved"),
    ],
)
def test_rules_that_cannot_hold(tmp_path: Path, was: str, becomes: str, told: str) -> None:
    with pytest.raises(settings.SettingsError, match=told):
        rules_of(tmp_path, OWLS.replace(was, becomes))


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("at_least = 0.6", "at_least = 60", "percentiles of 'frequency' go from 0 to 1"),
        (", at_least = 0.6", "", "'frequency' needs at_least, at_most, or both"),
        ("at_least = 0.6", "at_least = 0.6, at_most = 0.5", "none can meet it"),
        ("at_least", "atleast", "did you mean 'at_least'?"),
        ("lead", "leed", "did you mean 'lead'?"),
        ("at_least = 0.6", 'at_least = 0.6, measure = "mean"', "percentile"),
        ("at_least = 0.6", "at_least = nan", "finite"),
        ("[{", "[] #", "at least 1 item"),
        ("night-owls", "Night_Owls", "names.rules"),
        ("[names.rules.night-owls]", "[names.night-owls]", "night-owls: unknown key"),
    ],
)
def test_settings_that_say_what_to_mend(tmp_path: Path, was: str, becomes: str, told: str) -> None:
    assert told in refused(tmp_path, ORDERS + OWLS.replace(was, becomes))


def test_a_given_name_stands_until_it_is_taken_back(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    def say(name: str | None) -> str:
        return names.rename(connection, told, "s1", name, "agreed", NOW)

    assert say("  Friends of\n the House ") == "s1 is 'Friends of the House', from the next run on"
    assert say("Friends") == "s1 is 'Friends', from the next run on"
    assert names.given_names(connection) == {"s1": "Friends"}
    assert "named by the rules again" in say(None)
    assert names.given_names(connection) == {}
    kept = connection.execute("select count(*), max(recorded_by) from ops.segment_renames")
    assert kept.fetchall() == [(3, "operator")]


@pytest.mark.parametrize(
    ("segment_id", "name", "why"),
    [
        ("s3", "Friends", "no run has had a segment 's3'; known: s1, s2"),
        ("without-purchase", "Nobody", "cannot be renamed"),
        ("s1", "champions", "is the name of a rule"),
        ("s1", "Night owls", "is the name of a rule"),
        ("s1", "Unlike Others", "is the name of a rule"),
        ("s1", " -- ", "needs a letter"),
        ("s1", "x" * 61, "at most 60 characters"),
        ("s1", "TAKEN", "s2 is named 'TAKEN' already"),
        ("s1", None, "nothing to take back"),
    ],
)
def test_names_that_are_refused(
    connection: duckdb.DuckDBPyConnection,
    told: settings.Settings,
    segment_id: str,
    name: str | None,
    why: str,
) -> None:
    names.rename(connection, told, "s2", "Taken", None, NOW)
    with pytest.raises(names.RenameRefused, match=why):
        names.rename(connection, told, segment_id, name, None, NOW)


def test_slugs_of_the_built_in_names_are_ids_of_rules() -> None:
    assert all(slug(rule.name).replace("-", "").isalnum() for rule in NAME_RULES)
