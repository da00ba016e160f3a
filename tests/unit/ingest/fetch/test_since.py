"""From where an API is asked."""

from __future__ import annotations

import pytest

from tessera.ingest.fetch.since import greatest, looked_back


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], ""),
        ([None, ""], ""),
        (["9", "10"], "10"),
        ([9, 10.5], "10.5"),
        (["1503435956.000247", "1503435956.000246"], "1503435956.000247"),
        (["2026-01-01T00:00:00+0000", "2026-01-01T00:00:00+0100"], "2026-01-01T00:00:00+0000"),
        (["2026-01-01", "b"], "b"),
        (["2026-01-01T00:00:00", "2026-01-01T00:00:00Z"], "2026-01-01T00:00:00Z"),
        (["nan", "10"], "nan"),
    ],
)
def test_the_greatest_is_told_by_number_then_by_time_then_by_word(values, found):
    assert greatest(values) == found


def test_a_word_cannot_be_looked_back_from():
    assert looked_back("word", 0) == "word"
    assert looked_back("1000", 60) == "940"
    with pytest.raises(ValueError, match="needs a number or a time"):
        looked_back("word", 60)
