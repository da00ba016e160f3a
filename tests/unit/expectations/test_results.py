"""Figures are said shortly, and never rounded to what they are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.checks import measure, one_of, present, rarely
from expectations.results import details_text, number, observed_text, share


@given(st.floats(min_value=1e-6, max_value=1 - 1e-6))
def test_a_share_between_nothing_and_all_is_never_said_to_be_either(value: float) -> None:
    assert share(value) not in {"0 %", "100 %"}


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_whole_numbers_are_said_whole(value: int) -> None:
    assert number(value) == f"{value:,}"


def test_a_cent_of_a_large_sum_is_seen() -> None:
    assert number(8_911_407.91) == "8,911,407.91"
    assert number(0.0001) == "0.0001"


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"element_count": 0, "unexpected_count": 0}, "no rows"),
        ({"element_count": 1200, "unexpected_count": 0}, "all 1,200 rows"),
        ({"element_count": 1200, "unexpected_count": 3}, "not so in 3 of 1,200 rows (0.2 %)"),
    ],
)
def test_rows(found: dict[str, int], text: str) -> None:
    assert observed_text(present("a", "A"), found) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "nothing to measure"), (0.0, "no exceptions"), (0.072, "7.2 % exceptions")],
)
def test_exceptions(value: float | None, text: str) -> None:
    assert observed_text(rarely("a", "A", 0.05), {"observed_value": value}) == text


def test_limits_are_said() -> None:
    assert details_text(rarely("a", "A", 0.05), {}) == "allowed: at most 5 %"
    assert details_text(rarely("a", "A"), {}) == "allowed: none"
    assert details_text(measure("", "A", at_least=4, at_most=4), {}) == "allowed: exactly 4"
    assert details_text(present("a", "A"), {}) == ""


def test_values_that_are_not_allowed_are_shown_once_and_few() -> None:
    found = {"partial_unexpected_list": ["x", "x", None, *"abcdefg"]}
    assert details_text(one_of("a", ["y"], "A"), found) == (
        "allowed: one of y; found: x, a, b, c, d"
    )
