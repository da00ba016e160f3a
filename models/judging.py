"""Whether this week's fit goes live: gates it must pass, each with its figure, bound and sentence.

The champion is the ML model that assigns, the challenger this week's fit. A challenger that fails a
gate does not go live; the champion goes on assigning and the reason is told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from models.evidence import choose
from models.search_parameters import SearchParameters

REASON_COLUMNS = ["gate", "passed", "observed", "bound", "told"]
BEGINNINGS = ("born", "split")
ENDINGS = ("died", "merged")


@dataclass(frozen=True)
class GateParameters:
    """Bounds of the gates. All are shares of customers but the first three.

    least_stability: of the segment found again least well in resamples; Jaccard. Hennig (2007),
        "Cluster-wise assessment of cluster stability": below 0.6 a cluster should not be trusted.
    silhouette_loss: so much worse than the champion on today's customers the challenger may be.
    choice_gain: so much better it must be where segments begin or end, unless a segment of the
        champion has become too small. Another number of segments, or another algorithm, must be
        ahead by so much in every figure by which the rule chooses.
    least_share: of the customers in the smallest segment.
    share_shift: so much may the share of a segment change for no reason that is known.
    migration: so many may move only because borders moved.
    upheaval: so many may move because segments begin or end.
    """

    least_stability: float = 0.6
    silhouette_loss: float = 0.02
    choice_gain: float = 0.02
    least_share: float = 0.01
    share_shift: float = 0.03
    migration: float = 0.05
    upheaval: float = 0.2

    def __post_init__(self) -> None:
        """Refuse bounds outside 0..1."""
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must be within 0 and 1, not {value}")


@dataclass(frozen=True)
class Challenge:
    """What a challenger is judged by, all on today's customers.

    least_stability: Jaccard of its least stable segment; NaN when not measured.
    silhouette, champion_silhouette: of both, on the same customers in the same space.
    is_rechosen: another algorithm or number of segments than the champion's was chosen.
    smallest_share, champion_smallest_share: of the smallest segment of each.
    events: see `models.lineage`.
    moves: see `models.moves.causes`, as they would be. customers: who were there last run and are.
    """

    least_stability: float
    silhouette: float
    champion_silhouette: float
    is_rechosen: bool
    smallest_share: float
    champion_smallest_share: float
    events: pd.DataFrame
    moves: pd.DataFrame
    customers: int


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger goes live, and why: one row per gate, with REASON_COLUMNS.

    passed: the gate holds; observed and bound: its figures; told: a sentence.
    is_equal: the challenger is the champion under other numbers; nothing to decide.
    """

    is_promoted: bool
    reasons: pd.DataFrame
    is_equal: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether a gate kept the challenger from going live: worth an alert."""
        return not self.is_promoted and not self.reasons["passed"].all()

    @property
    def told(self) -> str:
        """The verdict in a paragraph."""
        failed = self.reasons.loc[~self.reasons["passed"], "told"]
        if self.is_equal:
            return "This week's fit equals the ML model in use; nothing changes."
        if self.reasons.empty:
            return "The ML model in use assigns; nothing was fitted."
        if not self.is_promoted:
            return "This week's fit does not go live: " + " ".join(failed)
        if failed.empty:
            return "This week's fit goes live: every gate holds."
        return "This fit goes live although not every gate holds: " + " ".join(failed)


def judge(challenge: Challenge, parameters: GateParameters | None = None) -> Verdict:
    """Judge a challenger: it goes live when every gate holds."""
    bounds = parameters or GateParameters()
    reasons = pd.DataFrame(
        [*_quality(challenge, bounds), *_peace(challenge, bounds)], columns=REASON_COLUMNS
    )
    return Verdict(bool(reasons["passed"].all()), reasons)


def judge_first(
    least_stability: float,
    silhouette: float,
    smallest_share: float,
    parameters: GateParameters | None = None,
) -> Verdict:
    """Tell the evidence of a fit that has no champion to compare with; it goes live anyway."""
    nothing = pd.DataFrame(columns=["event", "segment_id", "from_segment_id", "to_segment_id"])
    told = (least_stability, silhouette, math.nan, False, smallest_share, math.nan)
    challenge = Challenge(*told, nothing, nothing, 0)
    quality = _quality(challenge, parameters or GateParameters())
    return Verdict(True, pd.DataFrame(quality, columns=REASON_COLUMNS))


def kept() -> Verdict:
    """The verdict when nothing was fitted, or nothing new: no gate is asked."""
    return Verdict(False, pd.DataFrame(columns=REASON_COLUMNS).astype({"passed": "bool"}))


def is_choice_kept(
    evidence: pd.DataFrame,
    algorithm: str,
    k: int,
    search: SearchParameters,
    parameters: GateParameters | None = None,
) -> bool:
    """Whether the champion's algorithm and k are still as good as any, by this week's evidence.

    Where two candidates are about as good, chance would decide each week anew. So the rule that
    chooses is asked again with the figures of the champion's candidate raised by `choice_gain`.
    """
    bounds = parameters or GateParameters()
    same = (evidence["algorithm"] == algorithm) & (evidence["k"] == k)
    if not same.any():
        return False
    favoured = evidence.copy()
    favoured.loc[same, ["silhouette", "least_stability", "revenue_explained"]] += bounds.choice_gain
    return bool(choose(favoured, search).loc[same, "is_chosen"].any())


def _quality(challenge: Challenge, bounds: GateParameters) -> list[tuple]:
    stable, own, champion = (
        challenge.least_stability, challenge.silhouette, challenge.champion_silhouette,
    )  # fmt: skip
    own = 0.0 if math.isnan(own) else own  # one segment has no silhouette: Rousseeuw takes 0
    least = champion - bounds.silhouette_loss
    is_sound = challenge.champion_smallest_share >= bounds.least_share
    if is_sound and not challenge.is_rechosen and (challenge.events["event"] != "continued").any():
        least = champion + bounds.choice_gain
    return [
        (
            "stability", not stable < bounds.least_stability, stable, bounds.least_stability,
            "Stability was not measured." if math.isnan(stable) else
            f"The least stable segment is found again with a Jaccard of {stable:.2f}; "
            f"at least {bounds.least_stability:.2f} is asked for.",
        ),
        (
            "silhouette", not own < least, own, least,
            f"The silhouette is {own:.3f}; there is none to compare with." if math.isnan(least) else
            f"The silhouette is {own:.3f}, that of the ML model in use {champion:.3f} on the same "
            f"customers; at least {least:.3f} is asked for.",
        ),
        (
            "smallest_segment", challenge.smallest_share >= bounds.least_share,
            challenge.smallest_share, bounds.least_share,
            f"The smallest segment holds {challenge.smallest_share:.1%} of the customers; "
            f"at least {bounds.least_share:.1%} are asked for.",
        ),
    ]  # fmt: skip


def _peace(challenge: Challenge, bounds: GateParameters) -> list[tuple]:
    events, moves = challenge.events, challenge.moves
    begun = events.loc[events["event"].isin(BEGINNINGS), "segment_id"]
    ended = events.loc[events["event"] == "merged", "from_segment_id"]
    ended = pd.concat([ended, events.loc[events["event"] == "died", "segment_id"]])
    by_event = moves["to_segment_id"].isin(begun) | moves["from_segment_id"].isin(ended)
    boundary = moves[(moves["cause"] == "boundary") & ~by_event]
    flow = (
        boundary["to_segment_id"]
        .value_counts()
        .sub(boundary["from_segment_id"].value_counts(), fill_value=0)
    )
    everybody = max(challenge.customers, 1)
    shift = float(flow.abs().max()) / everybody if len(flow) else 0.0
    migration = len(boundary) / everybody
    upheaval = int((by_event & moves["from_segment_id"].notna()).sum()) / everybody
    most = str(flow.abs().idxmax()) if len(flow) else "any segment"
    return [
        (
            "share_shift", shift <= bounds.share_shift, shift, bounds.share_shift,
            f"The share of {most} changes by {shift:.1%} of the customers, which neither behaviour "
            f"nor lineage explains; at most {bounds.share_shift:.1%} may.",
        ),
        (
            "migration", migration <= bounds.migration, migration, bounds.migration,
            f"{migration:.1%} of the customers would move only because borders moved; "
            f"at most {bounds.migration:.1%} may.",
        ),
        (
            "upheaval", upheaval <= bounds.upheaval, upheaval, bounds.upheaval,
            f"{upheaval:.1%} of the customers would move because segments begin or end; "
            f"at most {bounds.upheaval:.1%} may.",
        ),
    ]  # fmt: skip
