"""What runs remember, so that the next one compares only what is new.

Parameters and term frequencies hold from the run that learned them until the records have grown
or shrunk by a fifth, or other columns are filled. Keys of records and weights of pairs are kept
for as long as nothing about them changed: they are what a run over everything would find too.
Nothing in clear: keys and terms are hashed with the salt, levels are numbers.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from dataclasses import asdict, dataclass
from datetime import date

import duckdb

from tessera.identity import fields, normalise
from tessera.identity.fields import KEYS
from tessera.identity.scoring import Parameters

_MOST_GROWTH = 1.2  # records against those that the parameters were learned from
SALT = "coalesce(getvariable('identity_salt'), '')"
_NOTHING = """
create or replace temporary table identity_recalled as
select 0 as record, null::ubigint[] as keys limit 0;
create or replace temporary table identity_was_common (
    kind varchar, key_name varchar, key_value ubigint);
create or replace temporary table identity_was_weighed (
    record_l integer, record_r integer, match_weight double, degrees tinyint[],
    by_evidence boolean);
create or replace temporary table identity_terms (field varchar, term ubigint, frequency double);
"""


@dataclass(frozen=True)
class Memory:
    """That of a day's run: what runs before that day learned holds, nothing later does."""

    as_of: date
    salt: str


def hashed(sql: str) -> str:
    """SQL: the salted hash of an expression, null where it is."""
    return f"case when ({sql}) is not null then hash({SALT} || ({sql})) end"


def definitions(salt: str) -> str:
    """Names what keys and weights are made of; other code, salt or DuckDB, other keys."""
    made_of = inspect.getsource(fields) + inspect.getsource(normalise) + duckdb.__version__ + salt
    return hashlib.sha256(made_of.encode()).hexdigest()[:16]


def as_json(parameters: Parameters) -> str:
    """Always the same for the same parameters."""
    return json.dumps(asdict(parameters), sort_keys=True)


def name_of(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> str:
    """A name for parameters and the term frequencies learned with them: other ones, another."""
    terms = connection.execute(
        "select bit_xor(hash(field, term, frequency)) from identity_terms"
    ).fetchall()
    told = json.dumps([asdict(parameters), str(terms[0][0])], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def recall(
    connection: duckdb.DuckDBPyConnection, memory: Memory | None, accounts: str, filled: list[str]
) -> Parameters | None:
    """The parameters to weigh with, or None when they must be learned.

    Makes identity_recalled (record, keys), identity_was_common, identity_was_weighed and
    identity_terms, empty where nothing is known. `accounts`: account, record, digest. `filled`:
    the columns that have something to say.
    """
    connection.execute(_NOTHING)
    if memory is None:
        return None
    parameters = _learned_before(connection, memory)
    count = connection.table(accounts).shape[0]
    if parameters is None or not _holds(parameters, count, filled, definitions(memory.salt)):
        return None
    recall_terms(connection, parameters)
    known = connection.execute("select definitions, learned from ops.identity_memory").fetchall()
    if known == [(parameters.definitions, parameters.learned)]:
        connection.execute(_RECALL.format(accounts=accounts))
    return parameters


def recall_terms(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    """Make identity_terms as it was when the parameters were learned, the other tables empty."""
    connection.execute(_NOTHING)
    connection.execute(
        "insert into identity_terms select field, term, frequency from ops.identity_terms "
        "where learned = $1",
        [parameters.learned],
    )


_RECALL = """
insert into identity_recalled
select a.record, k.keys from {accounts} as a join ops.identity_known as k using (account, digest);
insert into identity_was_common from ops.identity_common;
insert into identity_was_weighed
select l.record, r.record, match_weight, degrees, by_evidence from ops.identity_weights as w
join {accounts} as l on l.account = w.account_l
join {accounts} as r on r.account = w.account_r;
"""


def _learned_before(connection: duckdb.DuckDBPyConnection, memory: Memory) -> Parameters | None:
    rows = connection.execute(
        "select told from ops.identity_runs where as_of < ? order by as_of desc limit 1",
        [memory.as_of],
    ).fetchall()
    told = json.loads(rows[0][0]).get("parameters") if rows else None
    return Parameters(**told) if told and told.get("learned") else None


def _holds(parameters: Parameters, count: int, filled: list[str], defined: str) -> bool:
    growth = max(count, 1) / max(parameters.records, 1)
    return (
        1 / _MOST_GROWTH <= growth <= _MOST_GROWTH
        and parameters.filled == filled
        and parameters.definitions == defined
    )


def keep(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    """Remember what the run of `resolve` found. To be called in the transaction of its results."""
    known = connection.execute("select definitions, learned from ops.identity_memory").fetchall()
    if known != [(parameters.definitions, parameters.learned)]:
        connection.execute(
            "delete from ops.identity_memory; delete from ops.identity_known; "
            "delete from ops.identity_terms where learned not in (select coalesce("
            "json_extract_string(told, '$.parameters.learned'), '') from ops.identity_runs)"
        )
        connection.execute(
            "insert into ops.identity_memory values (?, ?)",
            [parameters.definitions, parameters.learned],
        )
        connection.execute(
            "insert into ops.identity_terms select $1, * from identity_terms "
            "where $1 not in (select learned from ops.identity_terms)",
            [parameters.learned],
        )
    connection.execute(_KEEP.format(keys=", ".join(f"key_{key}" for key in KEYS)))
    degrees = ", ".join(f"gamma_{name}" for name in parameters.field_names)
    connection.execute(_KEEP_WEIGHTS.format(degrees=degrees))


# Of an account that is no longer as it was, its former digest is of no use.
_KEEP = """
delete from ops.identity_known where account not in (
    select account from identity_accounts semi join identity_recalled using (record));
insert into ops.identity_known
select account, digest, [{keys}] from identity_accounts
join identity_all_keys using (record) anti join identity_recalled using (record);
delete from ops.identity_common;
insert into ops.identity_common select distinct kind, key_name, key_value from identity_common;
"""
_KEEP_WEIGHTS = """
delete from ops.identity_weights;
insert into ops.identity_weights
select l.account, r.account, match_weight, [{degrees}], by_evidence from identity_scores as s
join identity_accounts as l on l.record = s.record_l
join identity_accounts as r on r.record = s.record_r;
"""
