"""Names of segments: the rules of the settings, and the names that people gave.

What people say is kept in `ops.segment_renames`, append-only: the last word on a segment_id stands,
and a word without a name takes the name before it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import duckdb
import pandas as pd

from models.naming import slug
from models.naming_rules import NAME_RULES, RESERVED, Condition, NameRule
from models.profiles import PROFILE_FEATURES
from tessera.ingest.source import did_you_mean
from tessera.settings import Settings, SettingsError
from tessera.settings_names import Names, NameTold

LONGEST_NAME = 60


class RenameRefused(ValueError):
    """The operator's name cannot be taken; the message says why and what to do."""


def rules_of(told: Names, customers: pd.DataFrame) -> list[NameRule]:
    """The rules for names in order of priority: those of the settings, then the built-in ones.

    `customers`: the frame whose columns rules may name. Raises SettingsError for a rule that names
    a feature which is not there or not a number, or a name that two rules have.
    """
    own = [_rule(f"names.rules.{key}", key, rule) for key, rule in told.rules.items()]
    numbers = [c for c in customers.columns if pd.api.types.is_numeric_dtype(customers[c].dtype)]
    known = sorted({*numbers, *_decimals(customers)})
    for key, rule in zip(told.rules, own, strict=True):
        for condition in rule.conditions:
            _refuse_unknown(f"names.rules.{key}", condition.feature, customers, known)
    built_in = [rule for rule in NAME_RULES if told.built_in and slug(rule.name) not in told.rules]
    _refuse_repeated([*own, *built_in])
    return [*own, *built_in]


def features_of(rules: Iterable[NameRule]) -> list[str]:
    """What segments are described by: the features of every profile, and those of the rules."""
    named = (condition.feature for rule in rules for condition in rule.conditions)
    return list(dict.fromkeys([*PROFILE_FEATURES, *named]))


def given_names(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """segment_id → the name that people gave it, of those that were not taken back."""
    rows = connection.execute(
        "select segment_id, max_by(coalesce(segment_name, ''), rename_id) "
        "from ops.segment_renames group by segment_id order by segment_id"
    ).fetchall()
    return {segment_id: name for segment_id, name in rows if name}


def rename(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    segment_id: str,
    name: str | None,
    reason: str | None,
    now: datetime,
) -> str:
    """Give a segment a name that stays with its id, or take it back (`name` None).

    Returns what was done, in words. Raises RenameRefused for a segment that no run had, or a name
    that is taken or declared by a rule.
    """
    if segment_id in RESERVED:
        raise RenameRefused(
            f"'{segment_id}' is what it is by definition, '{RESERVED[segment_id].name}': "
            "it cannot be renamed"
        )
    _refuse_unknown_segment(connection, segment_id)
    given = given_names(connection)
    if name is None and segment_id not in given:
        raise RenameRefused(f"nobody has named {segment_id}: there is nothing to take back")
    if name is not None:
        name = _checked(" ".join(name.split()), segment_id, given, settings.names)
    connection.execute(
        "insert into ops.segment_renames "
        "select coalesce(max(rename_id), 0) + 1, ?, ?, ?, 'operator', ? from ops.segment_renames",
        [segment_id, name, now, reason],
    )
    done = f"is '{name}'" if name else "is named by the rules again"
    return f"{segment_id} {done}, from the next run on"


def _checked(name: str, segment_id: str, given: dict[str, str], told: Names) -> str:
    declared = {slug(_name(key, rule)) for key, rule in told.rules.items()}
    declared |= {slug(rule.name) for rule in (*NAME_RULES, *RESERVED.values())}
    taken = {slug(other): key for key, other in given.items() if key != segment_id}
    if not slug(name):
        raise RenameRefused("a name needs a letter or a digit")
    if len(name) > LONGEST_NAME:
        raise RenameRefused(f"a name has at most {LONGEST_NAME} characters, not {len(name)}")
    if slug(name) in declared:
        raise RenameRefused(
            f"'{name}' is the name of a rule, which segments bear while they meet its conditions; "
            "take another one"
        )
    if slug(name) in taken:
        raise RenameRefused(f"{taken[slug(name)]} is named '{name}' already; take another name")
    return name


def _refuse_unknown_segment(connection: duckdb.DuckDBPyConnection, segment_id: str) -> None:
    rows = connection.execute("select distinct segment_id from ml.segment_names").fetchall()
    known = sorted(key for (key,) in rows)
    if segment_id not in known:
        told = did_you_mean(segment_id, known) if known else "; there are none: `make run` first"
        raise RenameRefused(f"no run has had a segment '{segment_id}'{told}")


def _rule(where: str, key: str, told: NameTold) -> NameRule:
    conditions = tuple(
        Condition(c.feature, c.measure, at_least=c.at_least, at_most=c.at_most) for c in told.when
    )
    name = _name(key, told)
    if slug(name) in {slug(rule.name) for rule in RESERVED.values()}:
        raise SettingsError(f"{where}: the name '{name}' is reserved; take another one")
    return NameRule(name, conditions, told.lead.rstrip("."), told.action, told.channel)


def _name(key: str, told: NameTold) -> str:
    return told.name or key.replace("-", " ").title()


def _decimals(customers: pd.DataFrame) -> list[str]:
    """Columns of Decimal objects, which pandas does not count among the numbers."""
    of_type = pd.api.types
    return [
        str(name) for name, column in customers.items()
        if of_type.is_object_dtype(column)
        and of_type.infer_dtype(column, skipna=True) == "decimal"
    ]  # fmt: skip


def _refuse_unknown(
    where: str, feature: str, customers: pd.DataFrame, known: Sequence[str]
) -> None:
    if feature in known:
        return
    if feature in customers.columns:
        raise SettingsError(
            f"{where}: '{feature}' is not a number and has no median; name another feature"
        )
    raise SettingsError(f"{where}: unknown feature '{feature}'{did_you_mean(feature, known)}")


def _refuse_repeated(rules: Sequence[NameRule]) -> None:
    slugs = [slug(rule.name) for rule in rules]
    for rule, key in zip(rules, slugs, strict=True):
        if slugs.count(key) > 1:
            raise SettingsError(
                f"names.rules: two rules name '{rule.name}'. Give one another name, or give yours "
                f"the id '{key}': it then stands in the built-in one's stead"
            )
