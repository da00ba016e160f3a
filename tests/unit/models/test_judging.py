from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest

from models.judging import (
    REASON_COLUMNS,
    Challenge,
    GateParameters,
    Verdict,
    is_choice_kept,
    judge,
    judge_first,
    kept,
)
from models.search_parameters import SearchParameters

QUIET = pd.DataFrame({"event": ["continued"], "segment_id": ["s1"], "from_segment_id": ["s1"]})
GOOD = Challenge(0.9, 0.41, 0.40, False, 0.1, 0.1, QUIET, pd.DataFrame(), 100)


def _moves(*moves: tuple[str | None, str, str, int]) -> pd.DataFrame:
    rows = [(a, b, cause) for a, b, cause, count in moves for _ in range(count)]
    frame = pd.DataFrame(rows, columns=["from_segment_id", "to_segment_id", "cause"])
    return frame.assign(customer_id=[f"C{i}" for i in range(len(frame))])


GOOD = replace(GOOD, moves=_moves(("s1", "s2", "behaviour", 20), (None, "s1", "new", 30)))


def _failed(challenge: Challenge) -> list[str]:
    verdict = judge(challenge)
    assert verdict.is_promoted == verdict.reasons["passed"].all()
    assert verdict.is_refused != verdict.is_promoted
    return verdict.reasons.loc[~verdict.reasons["passed"], "gate"].tolist()


def test_a_good_challenger_goes_live() -> None:
    verdict = judge(GOOD)
    assert verdict.is_promoted
    assert list(verdict.reasons.columns) == REASON_COLUMNS
    assert len(verdict.reasons) == 6
    assert verdict.told == "This week's fit goes live: every gate holds."


def test_behaviour_moves_whoever_it_moves() -> None:
    assert not _failed(replace(GOOD, moves=_moves(("s1", "s2", "behaviour", 90))))


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ({"least_stability": 0.55}, "stability"),
        ({"silhouette": 0.37}, "silhouette"),
        ({"silhouette": math.nan}, "silhouette"),  # one segment only
        ({"smallest_share": 0.005}, "smallest_segment"),
        ({"moves": _moves(("s1", "s2", "boundary", 4))}, "share_shift"),
        (
            {"moves": _moves(("s1", "s2", "boundary", 3), ("s2", "s1", "boundary", 3))},
            "migration",
        ),
    ],
)
def test_each_gate_closes(change: dict, gate: str) -> None:
    assert _failed(replace(GOOD, **change)) == [gate]
    assert judge(replace(GOOD, **change)).told.startswith("This week's fit does not go live: ")


def test_moves_along_a_beginning_or_an_end_are_explained() -> None:
    events = pd.DataFrame(
        {
            "event": ["continued", "split", "merged", "died"],
            "segment_id": ["s1", "s5", "s1", "s4"],
            "from_segment_id": ["s1", "s1", "s3", None],
        }
    )
    moves = _moves(
        ("s1", "s5", "boundary", 8), ("s3", "s1", "boundary", 6), ("s4", "s2", "boundary", 4)
    )
    better = replace(GOOD, silhouette=0.43, events=events, moves=moves)
    assert not _failed(better)
    assert _failed(replace(better, customers=50)) == ["upheaval"]


def test_a_beginning_must_be_worth_it() -> None:
    events = QUIET.assign(event="born", from_segment_id=None)
    assert _failed(replace(GOOD, events=events)) == ["silhouette"]
    assert not _failed(replace(GOOD, events=events, silhouette=0.425))
    assert not _failed(replace(GOOD, events=events, silhouette=0.39, is_rechosen=True))
    assert _failed(replace(GOOD, events=events, silhouette=0.37, is_rechosen=True)) == [
        "silhouette"
    ]
    assert not _failed(replace(GOOD, events=events, champion_smallest_share=0.0))


def test_what_was_not_measured_closes_no_gate() -> None:
    assert not _failed(replace(GOOD, least_stability=math.nan, champion_silhouette=math.nan))


def test_the_first_fit_goes_live_and_its_evidence_is_told() -> None:
    verdict = judge_first(0.4, 0.2, 0.1)
    assert verdict.is_promoted
    assert not verdict.is_refused
    assert verdict.reasons["passed"].tolist() == [False, True, True]
    assert "Jaccard of 0.40" in verdict.told
    assert "none to compare with" in verdict.reasons["told"].iloc[1]


def test_nothing_judged_is_nothing_refused() -> None:
    assert not kept().is_refused
    assert kept().told == "The ML model in use assigns; nothing was fitted."
    assert Verdict(False, kept().reasons, is_equal=True).told.startswith("This week's fit equals")


@pytest.mark.parametrize("name", list(vars(GateParameters())))
def test_senseless_bounds_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        GateParameters(**{name: -0.1})


def _kept(told: dict[int, tuple[float, float]], k: int, tolerance: float = 0.1, **worse) -> bool:
    """`told`: of each number of segments the silhouette and the share of spend it explains."""
    evidence = pd.DataFrame(
        {
            "algorithm": "kmeans", "k": list(told), "silhouette": [s for s, _ in told.values()],
            "revenue_explained": [share for _, share in told.values()],
            "smallest_share": 0.1, "least_stability": 0.9, "stability": 0.9, "inertia": 1.0,
            "silhouette_error": 0.0, "davies_bouldin": 1.0, "calinski_harabasz": 1.0,
        }
    )  # fmt: skip
    for column, value in worse.items():
        evidence.loc[evidence["k"] == k, column] = value
    return is_choice_kept(evidence, "kmeans", k, SearchParameters(tolerance=tolerance))


def test_the_champions_k_is_favoured_where_two_are_about_as_good() -> None:
    """The rule takes the fewest that explain nine tenths of the most, if they separate as well."""
    assert _kept({4: (0.40, 0.53), 5: (0.34, 0.60)}, k=4)  # 5 explains a little too much
    assert not _kept({4: (0.40, 0.50), 5: (0.34, 0.60)}, k=4)
    assert _kept({4: (0.40, 0.55), 5: (0.34, 0.60)}, k=5)  # 4 explains nearly as much
    assert not _kept({4: (0.40, 0.58), 5: (0.34, 0.60)}, k=5)
    assert _kept({4: (0.40, 0.40), 5: (0.29, 0.60)}, k=5)  # separates a little too badly
    assert not _kept({4: (0.40, 0.40), 5: (0.27, 0.60)}, k=5)
    assert _kept({4: (0.40, 0.40), 5: (0.41, 0.60)}, k=4, tolerance=0.0)
    assert not _kept({4: (0.40, 0.40), 5: (0.43, 0.60)}, k=4, tolerance=0.0)


def test_an_unsound_choice_is_not_kept() -> None:
    good = {4: (0.40, 0.60), 5: (0.39, 0.70)}
    assert _kept(good, k=5)
    assert not _kept(good, k=5, least_stability=0.5)
    assert not _kept(good, k=5, smallest_share=0.001)
    assert _kept(good, k=5, least_stability=math.nan)
    assert not _kept(good, k=7)
