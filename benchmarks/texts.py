"""Reading texts: `python -m benchmarks.texts --posts 1000000 --rated FOLDER`.

Generated posts, all different: language, tone and signals together, and its parts, beside plain
VADER (tone only) on the same posts and as many processes. Then how well scores agree with people.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from benchmarks import machine
from benchmarks.rated_texts import SETS, confusion, correlation, macro_f1, rated
from tessera.demo import phrases
from tessera.text import signals
from tessera.text.engine import LexiconEngine
from tessera.text.language import detect
from tessera.text.reading import read
from tessera.text.scoring import BATCH_TEXTS, describe

CHUNK_POSTS = 100_000


def posts(count: int, seed: int = 7) -> list[str]:
    """Posts of the demo company's phrases, each made different by an order number."""
    rng = np.random.default_rng(seed)
    parts = [
        np.array(part.to_pylist(), dtype=object)[rng.integers(0, len(part), count)]
        for part in (phrases.OPENINGS, phrases.BODIES, phrases.CLOSINGS, phrases.EMOJI,
                     phrases.HASHTAGS)
    ]  # fmt: skip
    told = zip(*parts, range(count), strict=True)
    return [f"{a} {b.format('lamp')}. {c} {d} {e} no. {i}" for a, b, c, d, e, i in told]


def _vader(texts: Sequence[str]) -> list[float]:
    analyzer = SentimentIntensityAnalyzer()
    return [analyzer.polarity_scores(text)["compound"] for text in texts]


def _score(texts: Sequence[str]) -> int:
    return len(LexiconEngine().score([read(text) for text in texts]).labels)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _shared_out(work: Callable[[Sequence[str]], object], texts: list[str], jobs: int) -> None:
    batches = [texts[i : i + BATCH_TEXTS] for i in range(0, len(texts), BATCH_TEXTS)]
    Parallel(n_jobs=jobs)(delayed(work)(batch) for batch in batches)


def _describe_all(texts: list[str], jobs: int) -> None:
    for start in range(0, len(texts), CHUNK_POSTS):  # as the step reads them
        describe(texts[start : start + CHUNK_POSTS], LexiconEngine(), jobs=jobs)


def _speed(count: int, jobs: int) -> list[str]:
    texts = posts(count)
    measured = {
        "language, tone and signals": _seconds(lambda: _describe_all(texts, jobs)),
        "plain VADER, tone only": _seconds(lambda: _shared_out(_vader, texts, jobs)),
        "tone only": _seconds(lambda: _shared_out(_score, texts, jobs)),
        "language only": _seconds(lambda: _shared_out(detect, texts, jobs)),
        "signals only": _seconds(lambda: _shared_out(signals.find, texts, jobs)),
    }
    floor = measured["plain VADER, tone only"]
    rows = [
        f"| {name} | {seconds:.1f} | {count / seconds:,.0f} | {seconds / floor:.2f} |"
        for name, seconds in measured.items()
    ]
    heading = f"| {count:,} posts, {jobs} processes | seconds | posts a second | ÷ VADER |"
    return [heading, "|---|---|---|---|", *rows]


def _accuracy(folder: Path) -> list[str]:
    rows = []
    for name in SETS:
        texts, ratings = rated(folder, name)
        ours = LexiconEngine().score([read(text) for text in texts]).scores
        plain = np.array(_vader(texts))
        told = [
            figure
            for scores in (ours, plain)
            for figure in (
                f"{correlation(ratings, scores):.4f}",
                f"{macro_f1(confusion(ratings, scores)):.3f}",
            )
        ]
        rows.append(f"| {name} | {len(texts):,} | {' | '.join(told)} |")
    heading = "| rated by people | texts | r | macro-F1 | VADER's r | VADER's macro-F1 |"
    return [heading, "|---|---|---|---|---|---|", *rows]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rated", type=Path, help="folder of Hutto & Gilbert's archive")
    told = parser.parse_args()
    for name, value in machine.facts().items():
        print(f"- {name}: {value}")
    print("", *_speed(told.posts, told.jobs), sep="\n")
    if told.rated:
        print("", *_accuracy(told.rated), sep="\n")


if __name__ == "__main__":
    main()
