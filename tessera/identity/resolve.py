"""Who is whom among contact records: normalise, find pairs, weigh them, judge them, cluster."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import log2

import duckdb
import numpy as np
import pyarrow as pa

from tessera.identity import blocking, clusters, guards, scoring, terms, training
from tessera.identity.normalise import normalise
from tessera.identity.scoring import Parameters

_LOWEST_WEIGHT = -5.0  # below it a pair is not even doubtful
AccountPair = tuple[str, str]


@dataclass(frozen=True)
class Rules:
    """What decides. `threshold`: probability from which two records are one person."""

    threshold: float = 0.95
    max_accounts_per_identifier: int = 20
    max_accounts_per_customer: int = 50
    region: str | None = None
    largest_block: int = 100

    @property
    def weight(self) -> float:
        """The threshold as a match weight: log2 of the odds."""
        return log2(self.threshold / (1 - self.threshold))


@dataclass(frozen=True)
class Resolution:
    """What was found: how many records, pairs compared, people, identifiers that many share."""

    records: int
    pairs: int
    people: int
    shared_identifiers: int
    parameters: Parameters | None


def resolve(
    connection: duckdb.DuckDBPyConnection,
    contacts: str,
    evidence: str | None = None,
    rules: Rules | None = None,
    together: Collection[AccountPair] = (),
    apart: Collection[AccountPair] = (),
) -> Resolution:
    """Make the temporary tables identity_clusters and identity_judged.

    `contacts`: a relation as `normalise` wants it, one row an account. `evidence`: account_l,
    account_r, rule, of accounts that behave like one. `together`, `apart`: what an operator says.
    identity_clusters: account, cluster (its least account). identity_judged: account_l <
    account_r, match_weight, gamma_<field>, reason, is_joined, is_cut (joined, but in two clusters).
    """
    rules = rules or Rules()
    normalise(connection, contacts, "identity_records", rules.region)
    shared = guards.forget_shared(connection, "identity_records", rules.max_accounts_per_identifier)
    _take_evidence(connection, evidence)
    parameters = _score(connection, rules)
    names = parameters.field_names if parameters else []
    guards.judge(
        connection, "identity_scores", "identity_evidence", "identity_verdicts", names, rules.weight
    )
    people = _cluster(connection, rules, names, together, apart)
    row = connection.execute(
        "select (select count(*) from identity_records), (select count(*) from identity_pairs)"
    ).fetchall()[0]
    return Resolution(row[0], row[1], people, shared, parameters)


def _take_evidence(connection: duckdb.DuckDBPyConnection, evidence: str | None) -> None:
    given = evidence or "(select null as account_l, null as account_r, null as rule limit 0)"
    connection.execute(
        f"""
        create or replace temporary table identity_evidence as
        select distinct least(l.record, r.record) as record_l,
            greatest(l.record, r.record) as record_r, e.rule
        from {given} as e
        join identity_records as l on l.account = e.account_l
        join identity_records as r on r.account = e.account_r
        where l.record <> r.record
        """
    )


def _score(connection: duckdb.DuckDBPyConnection, rules: Rules) -> Parameters | None:
    fields = training.filled_fields(connection, "identity_records")
    names = [field.name for field in fields]
    blocking.add_keys(connection, "identity_records", "identity_keyed", rules.largest_block)
    blocking.find_pairs(connection, "identity_keyed", "identity_pairs")
    connection.execute(
        "insert into identity_pairs select distinct 99, record_l, record_r from identity_evidence "
        "anti join identity_pairs on join_key_l = record_l and join_key_r = record_r"
    )
    if not fields:
        _score_evidence_alone(connection)
        return None
    terms.add_frequencies(connection, "identity_records", "identity_weighed", names)
    with tables_in_memory(connection):
        parameters = training.train(connection, "identity_weighed", fields)
        scoring.score(
            connection, parameters, "identity_weighed", "identity_pairs", "identity_scores",
            _LOWEST_WEIGHT,
        )  # fmt: skip
    return parameters


@contextmanager
def tables_in_memory(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Splink makes plain tables, of names and addresses too: none of them may reach the file."""
    row = connection.execute("select current_database(), current_schema()").fetchall()[0]
    connection.execute("attach ':memory:' as identity_memory")
    connection.execute("use identity_memory")
    try:
        yield
    finally:
        connection.execute(f'use "{row[0]}"."{row[1]}"')
        connection.execute("detach identity_memory")


def _score_evidence_alone(connection: duckdb.DuckDBPyConnection) -> None:
    """Nothing of the records can be compared: what behaves like one has no weight."""
    connection.execute(
        "create or replace temporary table identity_scores as "
        "select join_key_l as record_l, join_key_r as record_r, 0.0::double as match_weight "
        "from identity_pairs"
    )


def _cluster(
    connection: duckdb.DuckDBPyConnection,
    rules: Rules,
    names: list[str],
    together: Collection[AccountPair],
    apart: Collection[AccountPair],
) -> int:
    joined = connection.execute(
        "select record_l - 1 as l, record_r - 1 as r, match_weight as w "
        "from identity_verdicts where is_joined"
    ).fetchnumpy()
    count = connection.table("identity_records").shape[0]
    found = clusters.cluster(
        count,
        clusters.Links(*(np.asarray(joined[name]) for name in ("l", "r", "w"))),
        _numbers(connection, together),
        _numbers(connection, apart),
        rules.max_accounts_per_customer,
        lambda label: _contradictions(connection, label, names),
    )
    _write(connection, found.label)
    return len(np.unique(found.label))


def _numbers(
    connection: duckdb.DuckDBPyConnection, pairs: Collection[AccountPair]
) -> list[clusters.Pair]:
    """Records from 0 on of pairs of accounts; those nobody knows are left out."""
    ordered = sorted(pairs)
    identity_told = pa.table(  # noqa: F841 - DuckDB reads it by its name
        {
            "l": pa.array([pair[0] for pair in ordered], pa.string()),
            "r": pa.array([pair[1] for pair in ordered], pa.string()),
        }
    )
    return connection.execute(
        "select l.record - 1, r.record - 1 from identity_told "
        "join identity_records as l on l.account = identity_told.l "
        "join identity_records as r on r.account = identity_told.r order by all"
    ).fetchall()


def _contradictions(
    connection: duckdb.DuckDBPyConnection, label: np.ndarray, names: list[str]
) -> list[clusters.Pair]:
    looked_at = np.flatnonzero(label >= 0)
    if len(looked_at) == 0:
        return []
    inner = pa.table({"record": looked_at + 1, "cluster": label[looked_at]})
    connection.register("identity_inner", inner)
    found = guards.contradictions(connection, "identity_records", "identity_inner", names)
    connection.unregister("identity_inner")
    return [(left - 1, right - 1) for left, right in found]


def _write(connection: duckdb.DuckDBPyConnection, label: np.ndarray) -> None:
    identity_told = pa.table(  # noqa: F841 - DuckDB reads it by its name
        {"record": np.arange(1, len(label) + 1), "least": label + 1}
    )
    connection.execute(
        "create or replace temporary table identity_clusters as "
        "select r.account, c.account as cluster from identity_told "
        "join identity_records as r using (record) "
        "join identity_records as c on c.record = identity_told.least"
    )
    connection.execute(
        """
        create or replace temporary table identity_judged as
        select l.account as account_l, r.account as account_r, v.* exclude (record_l, record_r),
            is_joined and a.cluster <> b.cluster as is_cut
        from identity_verdicts as v
        join identity_records as l on l.record = v.record_l
        join identity_records as r on r.record = v.record_r
        join identity_clusters as a on a.account = l.account
        join identity_clusters as b on b.account = r.account
        """
    )
