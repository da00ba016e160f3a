"""Good exports, broken at random for a minute: no crash, no lost record, no touched neighbour.

A mutant is made from its source's name and its number alone: what a failure names can be made again
with `mutant(source, number)`.
"""

from __future__ import annotations

import gzip
import random
import re
import time
from itertools import count
from pathlib import Path

import duckdb
import pytest

from tests.bad_exports.loading import (
    SOURCES,
    contents,
    ledger,
    loaded,
    quarantined_rows,
    raw_rows,
    rows_of_neighbours,
    settings_of,
)
from tests.bad_exports.made import content

SECONDS = 60
AT_ONCE = 12
# Every good export gives its records ids of six digits that begin with 9.
RECORD_ID = re.compile(rb"(?<!\d)9\d{5}(?!\d)")
NASTY = [
    b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\x01", b"\x1a", b"\xff",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"{", b"}", b"[", b"]", b":", b"\\", b"\\ud800",
    b"\\u0000", b"NaN", b"-", b"1e999", b"null", b"true", b"#N/A", b"=1+1", b"0000-00-00", b" ",
    b"\xc2\xa0", b"7" * 40, b"$", b"%", b"\xf0\x9f\x9b\x92", b"{}", b'""', b"infinity", b"--",
]  # fmt: skip


def mutant(source: str, number: int) -> tuple[str, bytes]:
    """Name and bytes of a broken export: one to four changes to a good one."""
    chance = random.Random(f"{source} {number}")
    good = SOURCES[source]["good"][0]
    whole = content(good)
    for _ in range(chance.randint(1, 4)):
        whole = chance.choice((_insert, _insert, _flip, _delete, _repeat, _swap, _cut))(
            whole, chance
        )
    name = f"m{number:06}{''.join(Path(good).suffixes)}"
    if chance.random() < 0.1 and not name.endswith(".parquet"):
        return f"{name}.gz", _cut(gzip.compress(whole, mtime=0), chance)
    return name, whole


def _place(whole: bytes, chance: random.Random) -> int:
    return chance.randrange(len(whole) + 1)


def _insert(whole: bytes, chance: random.Random) -> bytes:
    at = _place(whole, chance)
    return whole[:at] + chance.choice(NASTY) + whole[at:]


def _flip(whole: bytes, chance: random.Random) -> bytes:
    at = _place(whole, chance)
    return whole[:at] + chance.randbytes(1) + whole[at + 1 :]


def _delete(whole: bytes, chance: random.Random) -> bytes:
    at = _place(whole, chance)
    return whole[:at] + whole[at + chance.randint(1, 8) :]


def _cut(whole: bytes, chance: random.Random) -> bytes:
    return whole[: _place(whole, chance)] if chance.random() < 0.3 else whole


def _repeat(whole: bytes, chance: random.Random) -> bytes:
    lines = whole.splitlines(keepends=True) or [b""]
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return b"".join(lines)


def _swap(whole: bytes, chance: random.Random) -> bytes:
    lines = whole.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


@pytest.mark.long
@pytest.mark.parametrize("source", SOURCES)
def test_broken_exports_lose_nothing(tmp_path: Path, source: str) -> None:
    until = time.monotonic() + SECONDS / len(SOURCES)
    good, told = contents(SOURCES[source]["good"]), settings_of(source)
    with loaded(tmp_path / "alone", told, good) as connection:
        alone = rows_of_neighbours(connection, source)
    for first in count(0, AT_ONCE):
        if time.monotonic() > until:
            break
        mutants = dict(mutant(source, number) for number in range(first, first + AT_ONCE))
        with loaded(tmp_path / str(first), told, {**good, **mutants}) as connection:
            for name, whole in mutants.items():
                _assert_nothing_lost(connection, name, whole)
            assert rows_of_neighbours(connection, source) == alone, f"mutants from {first}"


def _assert_nothing_lost(connection: duckdb.DuckDBPyConnection, name: str, whole: bytes) -> None:
    found = ledger(connection, name)
    assert found.status, f"{name} is not in the ledger"
    if found.status != "loaded":
        assert found.reason, f"{name}: no reason"
        return
    raw, quarantined = raw_rows(connection, name), quarantined_rows(connection, name)
    assert (found.loaded, found.quarantined) == (len(raw), len(quarantined)), name
    kept = repr((raw, quarantined))
    lost = {i.decode() for i in RECORD_ID.findall(whole) if i.decode() not in kept}
    assert not lost, f"{name}: {lost} neither in raw nor in quarantine"
