"""Texts rated by people, and how well scores agree with them.

Source: Hutto & Gilbert (2014), four sets of English texts, each rated by 20 people from -4 to 4.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import numpy as np

SETS = {
    "tweets": "tweets_GroundTruth.txt",
    "reviews": "amazonReviewSnippets_GroundTruth.txt",
    "movies": "movieReviewSnippets_GroundTruth.txt",
    "news": "nytEditorialSnippets_GroundTruth.txt",
}
#: Ratings go from -4 to 4: a text counts as negative or positive from half a point on.
RATED_FROM = 0.5
#: Scores go from -1 to 1.
SCORED_FROM = 0.05


def rated(folder: Path, name: str) -> tuple[list[str], np.ndarray]:
    """Texts of one set and their mean ratings. `folder` holds the authors' archive."""
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        member = next(m for m in archive.getmembers() if m.name.endswith(SETS[name]))
        stream = archive.extractfile(member)
        assert stream is not None
        told = stream.read().decode("utf-8", errors="replace")
    rows = [line.split("\t") for line in re.split(r"\r\n|\r|\n", told) if line.count("\t") >= 2]
    return [row[2] for row in rows], np.array([float(row[1]) for row in rows])


def correlation(ratings: np.ndarray, scores: np.ndarray) -> float:
    """Pearson's r."""
    return float(np.corrcoef(scores, ratings)[0, 1])


def confusion(ratings: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """People's classes (rows) against the scores' (columns): negative, neutral, positive."""
    table = np.zeros((3, 3), dtype=int)
    np.add.at(table, (_classes(ratings, RATED_FROM), _classes(scores, SCORED_FROM)), 1)
    return table


def macro_f1(table: np.ndarray) -> float:
    """Mean of the three classes' F1."""
    return float(np.mean(2 * np.diag(table) / (table.sum(0) + table.sum(1))))


def _classes(values: np.ndarray, start: float) -> np.ndarray:
    return 1 + (values >= start).astype(int) - (values <= -start).astype(int)
