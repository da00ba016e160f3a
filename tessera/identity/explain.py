"""Why two accounts are, or are not, one: each comparison's share of the match weight."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from tessera.identity import blocking, guards, memory, scoring, terms
from tessera.identity.normalise import normalise
from tessera.identity.resolve import Rules, tables_in_memory
from tessera.identity.scoring import Parameters, Part

AccountPair = tuple[str, str]


@dataclass(frozen=True)
class Explanation:
    """`weight`: log2 of the odds that they are one person. `parts` sum up to it."""

    weight: float
    parts: list[Part]


class NothingToExplain(LookupError):
    """The pair cannot be weighed; the message says why."""


def explain(
    connection: duckdb.DuckDBPyConnection,
    contacts: str,
    parameters: Parameters,
    accounts: AccountPair,
    rules: Rules,
    chart: Path,
    salt: str = "",
) -> Explanation:
    """Weigh two accounts as the run did; write Splink's waterfall chart, levels only, as a page.

    `contacts`: as for `resolve`. Raises NothingToExplain for an account that it does not have.
    """
    names = parameters.field_names
    connection.execute("set variable identity_salt = $1", [salt])
    normalise(connection, contacts, "identity_records", rules.region)
    memory.recall_terms(connection, parameters)
    blocking.add_keys(connection, "identity_records")
    blocking.find_shared(connection, rules.max_accounts_per_identifier)
    guards.forget_shared(connection, "identity_records")
    if connection.table("identity_terms").shape[0] == 0:
        terms.learn_frequencies(connection, "identity_records", names)
    terms.add_frequencies(connection, "identity_records", "identity_weighed", names)
    known = connection.execute(
        "select count(*) from identity_records where account in ($1, $2)", list(accounts)
    ).fetchall()
    if known[0][0] != 2:
        raise NothingToExplain("not both of them are accounts of the last run")
    connection.execute(
        "create or replace temporary table identity_pair as "
        "select 0 as match_key, min(record) as join_key_l, max(record) as join_key_r "
        "from identity_records where account in ($1, $2)",
        list(accounts),
    )
    with tables_in_memory(connection):
        weight, found = scoring.explain_pair(
            connection, parameters, "identity_weighed", "identity_pair", chart
        )
    return Explanation(weight, found)
