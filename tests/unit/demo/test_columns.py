from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tessera.demo import columns


@given(st.lists(st.integers(0, 6), max_size=30))
def test_within_numbers_each_group(counts):
    expected = [position for count in counts for position in range(count)]
    assert columns.within(np.array(counts, dtype=np.int64)).tolist() == expected


@given(st.integers(0, 2**40), st.integers(0, 10_000))
def test_spread_ids_never_collide(start, salt):
    assert len(np.unique(columns.spread_ids(start + np.arange(5000), salt))) == 5000


def test_large_vocabularies_are_looked_up_instead_of_carried():
    large = pa.array([str(i) for i in range(20_000)])
    assert columns.words(np.array([7, -1]), large).type == pa.string()
    assert columns.words(np.array([7, -1]), large).to_pylist() == ["7", None]
