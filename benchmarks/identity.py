"""Who is whom among contact records: `python -m benchmarks.identity 100000 1000000`.

On the same made-up records (benchmarks/contacts.py), each in a process of its own with two threads:
tessera.identity.resolve; a week later, with a tenth more records (10,000 at most) and what the run
before remembers, which is not in the time; the floor: plain Splink with the same comparisons,
blocking keys and training on the records as they come, lower-cased only, and its own clustering.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from functools import partial, wraps
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import contacts, machine
from benchmarks.process import Measured, run
from benchmarks.report import Figures
from tessera.warehouse import SCHEMA

MOST_SECONDS = 900.0
THREADS = 2
MOST_NEW = 10_000  # records of the week
PARTS = ("memory", "normalise", "block", "train", "score", "cluster")
# Pairs of records in one cluster that are one person, in one cluster, of one person.
TRUTH = """
select sum(n * (n - 1) / 2) filter (kind = 'both'), sum(n * (n - 1) / 2) filter (kind = 'cluster'),
    sum(n * (n - 1) / 2) filter (kind = 'person')
from (
    select 'both' as kind, count(*) as n from found join '{file}' using (account)
    group by cluster, person
    union all select 'cluster', count(*) from found group by cluster
    union all select 'person', count(*) from '{file}' group by person
)
"""


def measure_ours(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, float]:
    """Seconds of each part of `resolve`; the table found(account, cluster)."""
    from tessera.identity import resolve

    spent = _watch()
    connection.execute(f"create view contacts as select * exclude (person) from '{file}'")
    found = resolve.resolve(connection, "contacts", rules=resolve.Rules(region="DE"))
    connection.execute("create temp view found as select * from identity_clusters")
    return spent | {"pairs": found.pairs}


def measure_week(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, float]:
    """Seconds of the second of two runs, the writing of its memory included."""
    connection.execute(SCHEMA)
    count = connection.execute(f"select count(*) from '{file}'").fetchall()[0][0]
    new = min(MOST_NEW, count // 11)
    connection.execute(
        f"create view contacts as select * exclude (person) from '{file}' where account not in "
        f"(select account from '{file}' order by hash(account), account limit {new})"
    )
    _remembered(connection, 1)
    connection.execute(
        f"create or replace view contacts as select * exclude (person) from '{file}'"
    )
    spent = _watch()
    started = time.perf_counter()
    pairs = _remembered(connection, 2)
    seconds = time.perf_counter() - started
    connection.execute("create temp view found as select * from identity_clusters")
    return spent | {"pairs": pairs, "seconds": seconds}


def _remembered(connection: duckdb.DuckDBPyConnection, day: int) -> int:
    from tessera.identity import memory, resolve

    rules, remembered = resolve.Rules(region="DE"), memory.Memory(date(2026, 1, day), "a salt")
    found = resolve.resolve(connection, "contacts", rules=rules, remembered=remembered)
    assert found.parameters is not None
    connection.execute(
        "insert into ops.identity_runs values (?, now(), to_json({'parameters': ?::json}))",
        [remembered.as_of, memory.as_json(found.parameters)],
    )
    memory.keep(connection, found.parameters, found.recalled_results)
    return found.pairs


def _watch() -> dict[str, float]:
    """Have the parts of `resolve` take their time; what they took."""
    from tessera.identity import (
        blocking,
        changes,
        guards,
        memory,
        resolve,
        scoring,
        terms,
        training,
    )

    spent: dict[str, float] = defaultdict(float)
    for module, name, part in (
        (resolve, "number", "normalise"), (resolve, "normalise", "normalise"),
        (guards, "forget_shared", "normalise"), (memory, "recall", "memory"),
        (memory, "keep", "memory"), (blocking, "add_keys", "block"),
        (blocking, "find_shared", "block"), (blocking, "leave_out_common", "block"),
        (blocking, "find_pairs", "block"), (changes, "recount", "block"),
        (changes, "find_changed", "block"), (changes, "find_pairs", "block"),
        (terms, "learn_frequencies", "train"), (training, "train", "train"),
        (terms, "add_frequencies", "score"), (scoring, "score", "score"),
        (guards, "judge", "cluster"), (resolve, "_cluster", "cluster"),
    ):  # fmt: skip
        setattr(module, name, _timed(getattr(module, name), spent, part))
    return spent


def _timed(work: Callable[..., Any], spent: dict[str, float], part: str) -> Callable[..., Any]:
    @wraps(work)
    def timed(*args: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return work(*args, **named)
        finally:
            spent[part] += time.perf_counter() - started

    return timed


def measure_floor(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, float]:
    """Seconds of each part of plain Splink; the table found(account, cluster)."""
    from splink import DuckDBAPI, Linker
    from splink.blocking_rule_library import CustomRule

    from tessera.identity.fields import FIELDS, GIVEN, KEYS
    from tessera.identity.scoring import settings_of

    spent: dict[str, float] = defaultdict(float)
    columns = ", ".join(f"lower({name}) as {name}" for name in GIVEN)
    keys = ", ".join(f"{sql} as key_{name}" for name, sql in KEYS.items())
    connection.execute(
        f"create table records as select *, {keys} from (select account as record, {columns}, "
        f"split_part(lower(email), '@', 1) as email_local, false as spells_email, "
        f"false as spells_handle from '{file}')"
    )
    settings = settings_of(FIELDS)
    settings.blocking_rules_to_generate_predictions = [
        CustomRule(f"l.key_{name} = r.key_{name}") for name in KEYS
    ]
    linker = Linker(DuckDBAPI(connection).register("records"), settings, log_level=logging.ERROR)
    _timed(_train_plainly, spent, "train")(connection, linker, [field.name for field in FIELDS])
    predict = partial(linker.inference.predict, threshold_match_probability=0.95)
    scored = _timed(predict, spent, "score")()
    together = _timed(linker.clustering.cluster_pairwise_predictions_at_threshold, spent, "cluster")
    clustered = together(scored, threshold_match_probability=0.95)
    connection.execute(
        "create temp view found as select record as account, cluster_id as cluster "
        f"from {clustered.physical_name}"
    )
    return spent


def _train_plainly(connection: duckdb.DuckDBPyConnection, linker: Any, names: list[str]) -> None:
    from splink import block_on

    from tessera.identity import training

    training._learn_prior(linker, set(names), connection.table("records").shape[0])
    linker.training.estimate_u_using_random_sampling(training._U_PAIRS, training.SEED, 20)
    for block in training._EM_BLOCKS:
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*block), estimate_without_term_frequencies=True, max_pairs=100_000
        )


def measure_part(part: str, file: Path, memory: str) -> dict[str, float]:
    """One way on one file, in this process: seconds of its parts, accuracy, people."""
    config = {"memory_limit": memory, "threads": THREADS}
    with (
        tempfile.TemporaryDirectory(prefix="tessera-identity-") as folder,
        duckdb.connect(str(Path(folder) / "w.duckdb"), config=config) as connection,
    ):
        started = time.perf_counter()
        work = {"ours": measure_ours, "floor": measure_floor, "week": measure_week}[part]
        spent = work(connection, file)
        seconds = time.perf_counter() - started
        row = connection.execute(TRUTH.format(file=file)).fetchall()[0]
    both, found, true = (float(value or 0) for value in row)
    accuracy = {"precision": both / max(found, 1), "recall": both / max(true, 1)}
    return {"seconds": seconds} | dict(spent) | accuracy


def measure(
    records: int, ways: list[str], memory: str
) -> list[tuple[str, dict[str, float] | None, Measured]]:
    """Every way on one file: (name, what it found or nothing, what it cost)."""
    with tempfile.TemporaryDirectory(prefix="tessera-identity-") as folder:
        file = Path(folder) / "contacts.parquet"
        contacts.write(file, records)
        done = []
        for way in ways:
            command = [sys.executable, "-m", "benchmarks.identity", "--file", str(file),
                       "--part", way, "--memory", memory]  # fmt: skip
            measured = run(command, Path(folder) / f"{way}.log", os.environ, MOST_SECONDS)
            told = None if measured.stopped else json.loads(measured.output.splitlines()[-1])
            done.append((way, told, measured))
        return done


def _row(records: int, way: str, told: dict[str, float] | None, cost: Measured) -> tuple[str, ...]:
    name, peak = f"{records:,}: {way}", f"{cost.peak_bytes / 1e9:.2f} GB"
    if told is None:
        return (name, f"over {MOST_SECONDS:.0f}", *(["–"] * (len(PARTS) + 1)), peak, "–", "–")
    parts = (f"{told[part]:.1f}" if part in told else "–" for part in PARTS)
    return (name, f"{told['seconds']:.1f}", f"{cost.cpu_seconds:.1f}", *parts, peak,
            f"{told['precision']:.4f}", f"{told['recall']:.4f}")  # fmt: skip


def main() -> None:
    """Measure each size, or, in a process of its own, one way on one file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identity", description=__doc__)
    parser.add_argument("records", type=int, nargs="*")
    parser.add_argument("--memory", default="3GB", help="DuckDB's limit")
    parser.add_argument("--only", choices=("ours", "week", "floor"), help="measure but one way")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--part", choices=("ours", "week", "floor"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.part:
        print(json.dumps(measure_part(told.part, told.file, told.memory)))
        return
    ways = [told.only] if told.only else ["floor", "ours", "week"]
    rows = [
        _row(records, *done)
        for records in told.records
        for done in measure(records, ways, told.memory)
    ]
    head = ("records", "seconds", "CPU seconds", *PARTS, "peak memory", "precision", "recall")
    note = f"Load of the machine before: {machine.load():.1f}. Parts in seconds, {THREADS} threads."
    figures = Figures("Who is whom among contact records", note, head, rows)
    figures.show()


if __name__ == "__main__":
    main()
