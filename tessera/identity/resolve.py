"""Who is whom among contact records: normalise, find pairs, weigh them, judge them, cluster."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import log2

import duckdb
import numpy as np
import pyarrow as pa

from tessera.identity import blocking, changes, clusters, guards, memory, scoring, terms, training
from tessera.identity.memory import Memory, Recalled
from tessera.identity.normalise import normalise, number
from tessera.identity.scoring import BY_EVIDENCE, Parameters

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
    """What was found: how many records, pairs compared, people, identifiers that many share.

    `recalled_results`: whether keys and weights of earlier runs were taken over.
    """

    records: int
    pairs: int
    people: int
    shared_identifiers: int
    parameters: Parameters | None
    recalled_results: bool = False


def resolve(
    connection: duckdb.DuckDBPyConnection,
    contacts: str,
    evidence: str | None = None,
    rules: Rules | None = None,
    together: Collection[AccountPair] = (),
    apart: Collection[AccountPair] = (),
    remembered: Memory | None = None,
) -> Resolution:
    """Make the temporary tables identity_clusters and identity_judged.

    `contacts`: a relation as `normalise` wants it, one row an account. `evidence`: account_l,
    account_r, rule, of accounts that behave like one. `together`, `apart`: what an operator says.
    `remembered`: which earlier runs' findings hold; without it all is found anew.
    identity_clusters: account, cluster (its least account). identity_judged: account_l <
    account_r, match_weight, gamma_<field>, reason, is_joined, is_cut (joined, but in two clusters).
    """
    rules = rules or Rules()
    work = _Work(connection, contacts, rules)
    known = work.recall(remembered)
    limits = work.block(known)
    _take_evidence(connection, evidence)
    work.find_pairs(known)
    parameters = known.parameters or work.learn(limits, remembered)
    work.score(parameters)
    names = parameters.field_names if parameters else []
    guards.judge(
        connection, "identity_scores", "identity_evidence", "identity_verdicts", names, rules.weight
    )
    people = _cluster(work, names, together, apart)
    count = connection.table("identity_accounts").shape[0]
    pairs = connection.table("identity_pairs").shape[0]
    return Resolution(count, pairs, people, work.shared, parameters, known.has_results)


@dataclass
class _Work:
    """The temporary tables on the way: identity_accounts, _fresh, _records, _keyed, _pairs …

    identity_records has who was normalised so far: the fresh ones, and who is compared to them.
    """

    connection: duckdb.DuckDBPyConnection
    contacts: str
    rules: Rules
    shared: int = 0
    filled: list[str] = field(default_factory=list)

    def recall(self, remembered: Memory | None) -> Recalled:
        """What of earlier runs holds; normalises who is new or changed."""
        connection = self.connection
        self.filled = training.filled_columns(connection, self.contacts)
        salt = remembered.salt if remembered else ""
        connection.execute("set variable identity_salt = $1", [salt])
        number(connection, self.contacts, "identity_accounts", memory.SALT)
        most = self.rules.max_accounts_per_identifier
        known = memory.recall(connection, remembered, self.filled, most)
        self._normalise("identity_records", "identity_fresh")
        return known

    def _normalise(self, records: str, accounts: str) -> None:
        normalise(self.connection, self.contacts, records, self.rules.region, accounts)

    def block(self, known: Recalled) -> dict[str, int]:
        """Give each new record its keys; the largest block of each."""
        connection, most = self.connection, self.rules.max_accounts_per_identifier
        blocking.add_keys(connection, "identity_records")
        limits = known.parameters.largest_blocks if known.parameters else None
        if known.has_results:
            self.shared = changes.recount(connection, most, limits or {})
            guards.forget_shared(connection, "identity_records")
            return limits or {}
        self.shared = blocking.find_shared(connection, most)
        guards.forget_shared(connection, "identity_records")
        return blocking.leave_out_common(
            connection, "identity_keyed", self.rules.largest_block, limits
        )

    def find_pairs(self, known: Recalled) -> None:
        """Make identity_pairs, to be weighed, and identity_kept, whose weight still holds."""
        connection = self.connection
        if known.has_results:
            changes.find_changed(connection, "identity_changed")
            changes.find_pairs(connection, "identity_changed", "identity_pairs")
        else:
            blocking.find_pairs(connection, "identity_keyed", "identity_pairs")
        connection.execute(
            """
            create or replace temporary table identity_kept as from identity_was_weighed
            anti join identity_changed as l on l.record = record_l
            anti join identity_changed as r on r.record = record_r
            where not by_evidence
                or (record_l, record_r) in (select (record_l, record_r) from identity_evidence);
            delete from identity_were_one where record in (from identity_changed);
            """
        )
        connection.execute(
            f"insert into identity_pairs select distinct {BY_EVIDENCE}, record_l, record_r "
            "from identity_evidence "
            "anti join identity_pairs on join_key_l = record_l and join_key_r = record_r "
            "anti join identity_kept using (record_l, record_r)"
        )

    def learn(self, limits: dict[str, int], remembered: Memory | None) -> Parameters | None:
        """Learn parameters and term frequencies; None where no field has anything to say."""
        fields = training.filled_fields(self.connection, "identity_records")
        if not fields:
            return None
        terms.learn_frequencies(self.connection, "identity_records", [f.name for f in fields])
        with tables_in_memory(self.connection):
            learned = training.train(self.connection, "identity_records", fields)
        defined = ""
        if remembered:
            most = self.rules.max_accounts_per_identifier
            defined = memory.definitions(remembered.salt, most)
        told = replace(learned, largest_blocks=limits, filled=self.filled, definitions=defined)
        return replace(told, learned=memory.name_of(self.connection, told))

    def score(self, parameters: Parameters | None) -> None:
        """Make identity_scores of what is weighed now and what still holds."""
        connection = self.connection
        if parameters is None:
            _score_evidence_alone(connection)
            return
        self.need(
            "select join_key_l from identity_pairs union select join_key_r from identity_pairs"
        )
        names = parameters.field_names
        compared = (
            "(select * from identity_records where record in (select join_key_l from "
            "identity_pairs) or record in (select join_key_r from identity_pairs))"
        )
        terms.add_frequencies(connection, compared, "identity_weighed", names)
        with tables_in_memory(connection):
            scoring.score(
                connection, parameters, "identity_weighed", "identity_pairs", "identity_scores",
                _LOWEST_WEIGHT,
            )  # fmt: skip
        degrees = ", ".join(f"degrees[{i}]" for i, _ in enumerate(names, start=1))
        connection.execute(
            f"insert into identity_scores select record_l, record_r, match_weight, {degrees}, "
            "by_evidence from identity_kept"
        )

    def need(self, records: str) -> None:
        """Normalise those of the records that were not yet. `records`: SQL, one column."""
        connection = self.connection
        connection.execute(
            "create or replace temporary table identity_needed as select account, record "
            f"from identity_accounts where record in ({records}) "
            "and record not in (select record from identity_records)"
        )
        if connection.table("identity_needed").shape[0] == 0:
            return
        self._normalise("identity_more", "identity_needed")
        guards.forget_shared(connection, "identity_more")
        connection.execute("insert into identity_records from identity_more")


def _take_evidence(connection: duckdb.DuckDBPyConnection, evidence: str | None) -> None:
    given = evidence or "(select null as account_l, null as account_r, null as rule limit 0)"
    connection.execute(
        f"""
        create or replace temporary table identity_evidence as
        select distinct least(l.record, r.record) as record_l,
            greatest(l.record, r.record) as record_r, e.rule
        from {given} as e
        join identity_accounts as l on l.account = e.account_l
        join identity_accounts as r on r.account = e.account_r
        where l.record <> r.record
        """
    )


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
        "select join_key_l as record_l, join_key_r as record_r, 0.0::double as match_weight, "
        "true as by_evidence "
        "from identity_pairs"
    )


def _cluster(
    work: _Work,
    names: list[str],
    together: Collection[AccountPair],
    apart: Collection[AccountPair],
) -> int:
    connection, rules = work.connection, work.rules
    joined = connection.execute(
        "select record_l - 1 as l, record_r - 1 as r, match_weight as w "
        "from identity_verdicts where is_joined"
    ).fetchnumpy()
    count = connection.table("identity_accounts").shape[0]
    sure = _numbers(connection, together)
    found = clusters.cluster(
        count,
        clusters.Links(*(np.asarray(joined[name]) for name in ("l", "r", "w"))),
        sure,
        _numbers(connection, apart),
        rules.max_accounts_per_customer,
        lambda label: _contradictions(work, label, names),
    )
    _write(connection, found.label, {int(found.label[left]) for left, _ in sure})
    return int(np.count_nonzero(found.label == np.arange(count)))


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
        "join identity_accounts as l on l.account = identity_told.l "
        "join identity_accounts as r on r.account = identity_told.r order by all"
    ).fetchall()


def _contradictions(work: _Work, label: np.ndarray, names: list[str]) -> list[clusters.Pair]:
    connection = work.connection
    looked_at = np.flatnonzero(label >= 0)
    if len(looked_at) == 0:
        return []
    identity_told = pa.table(  # noqa: F841 - DuckDB reads it by its name
        {"record": looked_at + 1, "cluster": label[looked_at]}
    )
    connection.execute(_NOT_LOOKED_AT)
    work.need("select record from identity_inner")
    found = guards.contradictions(connection, "identity_records", "identity_inner", names)
    return [(left - 1, right - 1) for left, right in found]


# Those of one cluster that an earlier run found to be one were looked at by it, each with each.
_NOT_LOOKED_AT = """
create or replace temporary table identity_inner as
with members as (
    select t.*, w.cluster as was from identity_told as t
    left join identity_were_one as w using (record)
),
news as (
    select cluster from members group by cluster
    having count(was) < count(*) or min(was) <> max(was)
)
select record, cluster from members semi join news using (cluster)
"""


def _write(connection: duckdb.DuckDBPyConnection, label: np.ndarray, said: set[int]) -> None:
    """Make identity_clusters, identity_judged, identity_seen_through. `said`: labels that owe
    something to an operator's word, which may be taken back."""
    size = np.bincount(label, minlength=len(label))[label]
    records = np.flatnonzero(size > 1)
    found = label[records]
    identity_told = pa.table(  # noqa: F841 - DuckDB reads it by its name
        {
            "record": pa.array(records + 1, pa.int32()),
            "least": pa.array(found + 1, pa.int32()),
            "is_seen_through": (size[records] > 2) & ~np.isin(found, sorted(said)),
        }
    )
    connection.execute(_CLUSTERS)


_CLUSTERS = """
create or replace temporary table identity_moved as
select t.record, t.least, c.account as cluster, is_seen_through
from identity_told as t join identity_accounts as c on c.record = t.least;
create or replace temporary table identity_clusters as
select account, coalesce(m.cluster, account) as cluster
from identity_accounts left join identity_moved as m using (record);
create or replace temporary table identity_judged as
select l.account as account_l, r.account as account_r, v.* exclude (record_l, record_r),
    is_joined and coalesce(a.least, v.record_l) <> coalesce(b.least, v.record_r) as is_cut
from identity_verdicts as v
join identity_accounts as l on l.record = v.record_l
join identity_accounts as r on r.record = v.record_r
left join identity_moved as a on a.record = v.record_l
left join identity_moved as b on b.record = v.record_r;
create or replace temporary table identity_seen_through as
select account, cluster from identity_moved join identity_accounts using (record)
where is_seen_through;
"""
