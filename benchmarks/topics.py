"""Topics of many posts: `python -m benchmarks.topics 1000000`.

Posts of twelve words, half of a theme and half common to all, from 15 themes, by a tenth as many
authors: our whole chain (words, number of topics, fit, shares of all posts) and as a floor plain
scikit-learn calls with the number of topics given (TfidfVectorizer and NMF fitted on 50,000 posts,
transform of all), each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import normalized_mutual_info_score

from benchmarks import machine
from benchmarks.part import measure_part
from benchmarks.report import Figures
from tessera.text.topics import FIT_TEXTS, find_topics
from tessera.text.words import Authors

THEMES, OWN, COMMON = 15, 60, 200


def draw_posts(posts: int, seed: int = 1) -> tuple[list[str], np.ndarray]:
    """Posts, and the theme of each."""
    rng = np.random.default_rng(seed)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    words = np.array(["".join(rng.choice(syllables, 4)) for _ in range(THEMES * OWN + COMMON)])
    odds = 1 / np.arange(1, OWN + 1)
    themes = rng.integers(0, THEMES, posts)
    own = themes[:, None] * OWN + rng.choice(OWN, (posts, 6), p=odds / odds.sum())
    common = THEMES * OWN + rng.integers(0, COMMON, (posts, 6))
    return [" ".join(row) for row in words[np.hstack([own, common])]], themes


def measure_ours(posts: int) -> dict[str, float]:
    """Seconds and quality of our chain."""
    texts, themes = draw_posts(posts)
    number = np.arange(posts)
    started = time.perf_counter()
    found = find_topics(texts, Authors(number, number % max(posts // 10, 5)))
    seconds = time.perf_counter() - started
    main = np.asarray(found.shares.argmax(axis=1)).ravel()
    nmi = float(normalized_mutual_info_score(themes, main))
    return {"seconds": seconds, "topics": len(found.weights), "nmi": nmi}


def measure_floor(posts: int) -> dict[str, float]:
    """Seconds and quality of plain scikit-learn calls."""
    texts, themes = draw_posts(posts)
    started = time.perf_counter()
    vectorizer = TfidfVectorizer(max_features=5_000, stop_words="english", sublinear_tf=True)
    sample = vectorizer.fit_transform(texts[:FIT_TEXTS])
    model = NMF(THEMES, init="nndsvda", random_state=42, tol=1e-3).fit(sample)
    shares = model.transform(vectorizer.transform(texts))
    seconds = time.perf_counter() - started
    nmi = float(normalized_mutual_info_score(themes, shares.argmax(axis=1)))
    return {"seconds": seconds, "topics": THEMES, "nmi": nmi}


def main() -> None:
    """Measure each size, or, in a process of its own, one part of one size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.topics", description=__doc__)
    parser.add_argument("posts", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--part", choices=("floor", "ours"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.part:
        part = measure_floor if told.part == "floor" else measure_ours
        print(json.dumps(part(told.posts[0])))
        return
    rows = []
    for posts in told.posts:
        for name in ("floor", "ours"):
            found, cost = measure_part("topics", str(posts), "--part", name, cap_seconds=1_800)
            if found is None:
                rows.append((f"{posts:,}: {name}", f"stopped by {cost.stopped}", "", "", ""))
                continue
            rows.append(
                (f"{posts:,}: {name}", f"{found['seconds']:.1f}", f"{found['topics']}",
                 f"{found['nmi']:.3f}", f"{cost.peak_bytes / 1e9:.2f} GB")
            )  # fmt: skip
    head = ("posts", "seconds", "topics found (15 drawn)", "NMI", "peak memory")
    note = f"Load of the machine before: {machine.load():.1f}."
    figures = Figures("Topics of posts", note, head, rows)
    figures.show()


if __name__ == "__main__":
    main()
