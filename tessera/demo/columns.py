"""Columns: how simulated rows travel inside the demo, as equally long numpy arrays by name."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Columns = dict[str, np.ndarray]

# Small vocabularies travel to DuckDB as dictionaries; large ones (a million e-mails) would be
# copied whole for each slice, so there only the values in use are looked up.
_LARGEST_DICTIONARY = 10_000


def rows(columns: Columns) -> int:
    """Return the number of rows of a set of columns."""
    return len(next(iter(columns.values()))) if columns else 0


def take(columns: Columns, index: np.ndarray) -> Columns:
    """Return the rows at `index` (positions or a mask) of each column."""
    return {name: values[index] for name, values in columns.items()}


def cut(columns: Columns, start: int, stop: int) -> Columns:
    """Return the rows `start` … `stop` − 1 of each column, without copying."""
    return {name: values[start:stop] for name, values in columns.items()}


def concat(parts: list[Columns]) -> Columns:
    """Stack sets of columns with the same names, keeping their order."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def words(codes: np.ndarray, vocabulary: pa.Array) -> pa.Array:
    """Return the words of a vocabulary named by `codes`; a negative code is a missing value.

    >>> words(np.array([1, -1]), pa.array(["web", "app"])).to_pylist()
    ['app', None]
    """
    index = pa.array(codes.astype(np.int32), mask=codes < 0)
    if len(vocabulary) <= _LARGEST_DICTIONARY:
        return pa.DictionaryArray.from_arrays(index, vocabulary)
    return pc.take(vocabulary, index)


def within(counts: np.ndarray) -> Ints:
    """Number the items of consecutive groups: counts [2, 3] give 0, 1, 0, 1, 2."""
    ends = np.cumsum(counts, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int64) - np.repeat(ends - counts, counts)


def spread_ids(numbers: np.ndarray, salt: int) -> npt.NDArray[np.uint64]:
    """Map numbers one to one to 64-bit ids that look random (so ids never collide).

    Multiplying by an odd constant and xor-shifting are both reversible (Steele, Lea & Flood 2014,
    SplitMix64).
    """
    mixed = numbers.astype(np.uint64) + np.uint64(salt)
    mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    return mixed
