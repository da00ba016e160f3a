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
create or replace temporary table identity_was_common (
    kind varchar, key_name varchar, key_value ubigint);
create or replace temporary table identity_was_weighed (
    record_l integer, record_r integer, match_weight double, degrees tinyint[],
    by_evidence boolean);
create or replace temporary table identity_changed (record integer);
create or replace temporary table identity_were_one (record integer, cluster varchar);
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


def definitions(salt: str, most_accounts: int) -> str:
    """Names what keys and weights are made of; other code, salt or DuckDB, other keys.

    `most_accounts`: that an identifier may have; with more, it counts for nothing.
    """
    made_of = inspect.getsource(fields) + inspect.getsource(normalise) + duckdb.__version__ + salt
    made_of += f"|{most_accounts}"
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


@dataclass(frozen=True)
class Recalled:
    """Parameters to weigh with, None when they must be learned; whether keys and weights hold."""

    parameters: Parameters | None = None
    has_results: bool = False


def recall(
    connection: duckdb.DuckDBPyConnection,
    memory: Memory | None,
    filled: list[str],
    most_accounts: int,
) -> Recalled:
    """Make of identity_accounts (account, record, digest) what is new, and what holds of the rest.

    identity_fresh (account, record): new or changed. identity_gone: the remembered row of who is
    no longer there or no longer the same. identity_was_common, identity_was_weighed,
    identity_were_one, identity_changed and identity_terms, empty where nothing is known.
    `filled`: the columns that have something to say.
    """
    connection.execute(_NOTHING)
    parameters = _learned_before(connection, memory) if memory else None
    count = connection.table("identity_accounts").shape[0]
    if memory and parameters:
        defined = definitions(memory.salt, most_accounts)
        parameters = parameters if _holds(parameters, count, filled, defined) else None
    has_results = bool(parameters and _results_are_of(connection, parameters))
    if parameters:
        recall_terms(connection, parameters)
    connection.execute(_RECALL if has_results else _ALL_FRESH)
    return Recalled(parameters, has_results)


def _results_are_of(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> bool:
    known = connection.execute("select definitions, learned from ops.identity_memory").fetchall()
    return known == [(parameters.definitions, parameters.learned)]


def recall_terms(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    """Make identity_terms as it was when the parameters were learned, the other tables empty."""
    connection.execute(_NOTHING)
    connection.execute(
        "insert into identity_terms select field, term, frequency from ops.identity_terms "
        "where learned = $1",
        [parameters.learned],
    )


_ALL_FRESH = """
create or replace temporary table identity_fresh as select account, record from identity_accounts;
"""
_RECALL = """
create or replace temporary table identity_fresh as select account, record
from identity_accounts anti join ops.identity_keys using (account, digest);
create or replace temporary table identity_gone as
from ops.identity_keys anti join identity_accounts using (account, digest);
insert into identity_was_common from ops.identity_common;
insert into identity_was_weighed
select l.record, r.record, match_weight, degrees, by_evidence from ops.identity_weights as w
join identity_accounts as l on l.account = w.account_l
join identity_accounts as r on r.account = w.account_r;
insert into identity_were_one
select record, cluster from ops.identity_clusters join identity_accounts using (account);
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


def keep(
    connection: duckdb.DuckDBPyConnection, parameters: Parameters, recalled_results: bool
) -> None:
    """Remember what the run of `resolve` found. To be called in the transaction of its results.

    `recalled_results`: whether it took over what an earlier run had found; that stays then.
    """
    if not _results_are_of(connection, parameters):
        _keep_terms(connection, parameters)
    connection.execute(_FORGET_SOME if recalled_results else _FORGET_ALL)
    degrees = ", ".join(f"gamma_{name}" for name in parameters.field_names)
    keys = ", ".join(f"key_{key}" for key in KEYS)
    connection.execute(_KEEP.format(keys=keys, degrees=degrees))


def _keep_terms(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    connection.execute(
        "delete from ops.identity_memory; "
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


_FORGET_ALL = "delete from ops.identity_keys; delete from ops.identity_weights"
# The weights of whom is not as before, and of pairs that behaved like one and no longer do.
_FORGET_SOME = """
delete from ops.identity_keys where account in (select account from identity_gone);
create or replace temporary table identity_stale as
select account from identity_gone
union select account from identity_accounts semi join identity_changed using (record);
delete from ops.identity_weights where account_l in (from identity_stale)
    or account_r in (from identity_stale)
    or by_evidence and (account_l, account_r) not in (
        select (l.account, r.account) from identity_evidence as e
        join identity_accounts as l on l.record = e.record_l
        join identity_accounts as r on r.record = e.record_r);
"""
_KEEP = """
insert into ops.identity_keys by name
select account, digest, {keys} from identity_fresh_keys join identity_accounts using (record);
insert into ops.identity_weights
select l.account, r.account, match_weight, [{degrees}], by_evidence
from (from identity_scores anti join identity_kept using (record_l, record_r)) as s
join identity_accounts as l on l.record = s.record_l
join identity_accounts as r on r.record = s.record_r;
delete from ops.identity_common;
insert into ops.identity_common select distinct kind, key_name, key_value from identity_common;
delete from ops.identity_clusters;
insert into ops.identity_clusters from identity_seen_through;
"""
