"""What keeps records apart although they weigh enough, and what joins them although they do not.

People of one household share a name, an address, a telephone and often an e-mail address: what
tells them apart is the first name together with the birth date.
"""

from __future__ import annotations

import duckdb

from tessera.identity.fields import FIELDS, IDENTIFYING, Field
from tessera.identity.memory import hashed

# Of these, two must agree, or one that identifies: else it is a namesake.
_INDEPENDENT = (
    ("first_name",), ("last_name",), ("birth_date",), ("street", "postal_code", "city"), ("email",),
    ("phone",), ("handle",), ("external_id",),
)  # fmt: skip
# What a household does not share.
_PERSONAL = ("first_name", "birth_date", "external_id", "handle")
# What namesakes do not have in common but by chance.
_TELLING = ("birth_date", "street", "email", "phone", "handle", "external_id")
_LEVELS = {field.name: " or ".join(f"({level.sql})" for level in field.levels) for field in FIELDS}


def forget_shared(connection: duckdb.DuckDBPyConnection, records: str) -> None:
    """Empty the identifiers of `records` that more accounts share than one person has.

    Those stand in identity_common.
    """
    for field in IDENTIFYING:
        shared = (
            f"select key_value from identity_common where kind = 'shared' and key_name = '{field}'"
        )
        if connection.execute(f"select count(*) from ({shared})").fetchall()[0][0]:
            local = ", email_local = null" if field == "email" else ""
            connection.execute(
                f"update {records} set {field} = null{local} where {hashed(field)} in ({shared})"
            )


def judge(
    connection: duckdb.DuckDBPyConnection,
    scores: str,
    evidence: str,
    judged: str,
    names: list[str],
    threshold: float,
) -> None:
    """Make `judged`: the scored pairs with `reason` (why joined or not) and `is_joined`.

    `evidence`: record_l, record_r, rule ('email': they used one address, 'device': they logged in
    on one device). `threshold`: match weight. `names`: the fields that were compared.
    """
    gamma = {field.name: _gamma(field.name, names) for field in FIELDS}
    contradicts = _contradicts(gamma)
    first, last = gamma["first_name"], gamma["last_name"]
    same_handle = f"{gamma['handle']} = {len(_field('handle').levels)}"
    same_email = (
        f"({gamma['email']} = {len(_field('email').levels)} or list_contains(rules, 'email'))"
    )
    connection.execute(
        f"""
        create or replace temporary table {judged} as
        with gathered as (
            select record_l, record_r, list(distinct rule order by rule) as rules
            from {evidence} group by all
        ),
        verdicts as (
            select s.*, case
                when {contradicts} then 'contradiction'
                when {first} = 0 and {gamma["birth_date"]} < 0 and {gamma["external_id"]} <= 0
                    and {gamma["handle"]} <= 0 then 'other first name'
                when {same_email} and {first} <> 0 then 'same e-mail'
                when {same_handle} and {first} <> 0 then 'same handle'
                when list_contains(rules, 'device') and {first} > 0 and {last} > 0
                    then 'same device and name'
                when {_agreeing(gamma)} < 2 or {_is_namesake(gamma)} then 'too little in common'
                when match_weight >= {float(threshold)} then 'match weight'
                else 'below the threshold'
            end as reason
            from {scores} as s left join gathered using (record_l, record_r)
        )
        select *, reason in ('same e-mail', 'same handle', 'same device and name', 'match weight')
            as is_joined
        from verdicts
        """
    )


def contradictions(
    connection: duckdb.DuckDBPyConnection, records: str, clusters: str, names: list[str]
) -> list[tuple[int, int]]:
    """The pairs of records within one cluster that cannot be one person.

    `clusters`: record, cluster; those whose inner pairs are to be looked at.
    """
    gamma = {field.name: _gamma_of_values(field.name, names) for field in FIELDS}
    columns = ("first_name", "last_name", "birth_date", "external_id", "handle", "spells_handle")
    sides = ", ".join(f"{s}.{c} as {c}_{s}" for c in columns for s in ("l", "r"))
    return connection.execute(
        f"""
        select record_l, record_r from (
            select l.record as record_l, r.record as record_r, {sides}
            from {clusters} as a
            join {clusters} as b on a.cluster = b.cluster and a.record < b.record
            join {records} as l on l.record = a.record
            join {records} as r on r.record = b.record
        ) where {_contradicts(gamma)} order by all
        """
    ).fetchall()


def _contradicts(gamma: dict[str, str]) -> str:
    return (
        f"({gamma['first_name']} = 0 and {gamma['birth_date']} = 0 "
        f"and {gamma['external_id']} <= 0 and {gamma['handle']} <= 0)"
    )


def _is_namesake(gamma: dict[str, str]) -> str:
    """Only names agree, and perhaps the town; and what would tell one person from another differs.

    Weights alone would join them wherever names are rare, for they add up what is not independent.
    """
    telling = ", ".join(gamma[name] for name in _TELLING)
    return (
        f"(greatest({telling}) <= 0 and ({gamma['birth_date']} = 0 "
        f"or ({gamma['phone']} = 0 and {gamma['street']} = 0)))"
    )


def _gamma(name: str, names: list[str]) -> str:
    return f"gamma_{name}" if name in names else "-1"


def _gamma_of_values(name: str, names: list[str]) -> str:
    """As Splink's level, of a pair that was not scored: -1 unknown, 0 none, 1 some agreement."""
    if name not in names or name not in _PERSONAL:
        return "-1"
    return f"(case when {_field(name).unknown} then -1 when {_LEVELS[name]} then 1 else 0 end)"


def _agreeing(gamma: dict[str, str]) -> str:
    """How many independent things agree; one that identifies, wholly alike, counts for two."""
    found = [
        f"cast(greatest({', '.join(gamma[name] for name in group)}) > 0 as integer)"
        for group in _INDEPENDENT
    ]
    found += [
        f"cast({gamma[name]} = {len(_field(name).levels)} as integer)" for name in IDENTIFYING
    ]
    return "(" + " + ".join(found) + ")"


def _field(name: str) -> Field:
    return next(field for field in FIELDS if field.name == name)
