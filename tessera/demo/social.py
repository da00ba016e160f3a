"""Social life: posts whose tone follows persona and experience, replies, mentions, follows.

People sharing an interest (their favourite category) form communities; whom they follow and
mention is drawn by popularity (preferential attachment; Barabási & Albert 1999), mostly inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tessera.demo import phrases, purchases, season, themes
from tessera.demo.catalogue import CATEGORIES, Catalogue
from tessera.demo.columns import Columns, Mask, take
from tessera.demo.people import People
from tessera.demo.purchases import Purchases
from tessera.demo.season import DAY, Window

NETWORKS = pa.array(["instagram", "mastodon", "x"])
_INSIDE = 0.8  # of follows and mentions stay in the community
_MEAN_FOLLOWING = 9.0
_OWN_THEME = 0.4  # of posts are about the theme that their author writes about most


@dataclass(frozen=True)
class Crowd:
    """Everybody with a handle, by community, with cumulated popularity for drawing."""

    members: np.ndarray  # accounts, community after community
    starts: np.ndarray  # first position of each community, and the end
    weight: np.ndarray  # popularity cumulated over `members`, starting with 0

    def draw(self, rng: np.random.Generator, community: np.ndarray) -> np.ndarray:
        """Draw one account per row, by popularity, mostly from its community."""
        inside = rng.random(len(community)) < _INSIDE
        low = np.where(inside, self.weight[self.starts[community]], 0.0)
        high = np.where(inside, self.weight[self.starts[community + 1]], self.weight[-1])
        wanted = low + (high - low) * rng.random(len(community))
        position = np.searchsorted(self.weight, wanted, side="right") - 1
        return self.members[position.clip(0, len(self.members) - 1)]


def gather(people: People) -> Crowd:
    """Gather everybody who has a handle, over all chunks."""
    members = np.flatnonzero(people.has_handle).astype(np.int32)
    members = members[np.argsort(people.favourite[members], kind="stable")]
    community = people.favourite[members]
    starts = np.searchsorted(community, np.arange(len(CATEGORIES) + 1))
    weight = np.concatenate([[0.0], np.cumsum(people.popularity[members], dtype=np.float64)])
    return Crowd(members, starts, weight)


def simulate_follows(
    rng: np.random.Generator, window: Window, people: People, crowd: Crowd, first: int
) -> Columns:
    """Draw whom the people of one chunk (starting at account `first`) follow, each pair once."""
    authors = np.flatnonzero(people.has_handle)
    if not len(authors):
        return {name: np.empty(0, dtype=np.int64) for name in ("follower", "followed", "at")}
    wanted = rng.poisson(_MEAN_FOLLOWING * rng.gamma(1.2, 1 / 1.2, len(authors)))
    follower = np.repeat(authors, wanted)
    followed = crowd.draw(rng, people.favourite[follower].astype(np.int64))
    pairs = np.unique((follower + first) * 2**32 + followed)
    source, target = pairs >> 32, pairs & (2**32 - 1)
    since = np.maximum(people.created_at[source - first], window.start)
    at = since + ((window.stop - 1 - since) * rng.random(len(pairs))).astype(np.int64)
    kept = source != target
    columns = {"follower": source.astype(np.int32), "followed": target.astype(np.int32), "at": at}
    return take(columns, kept)


def simulate_posts(
    rng: np.random.Generator,
    window: Window,
    people: People,
    catalogue: Catalogue,
    bought: Purchases,
    crowd: Crowd,
    first: tuple[int, int],
) -> Columns:
    """Draw the posts of one chunk, by time; `first` is its first account and first post number."""
    author, day = _when(rng, window, people)
    at = window.start + day * DAY + season.draw_clock(rng, len(author))
    order = np.argsort(at, kind="stable")
    author, at = author[order], at[order]
    mood = _mood(rng, people, bought, author, at)
    category = purchases.choose_category(rng, people, author)
    mentions = rng.random(len(author)) < 0.18
    mentioned = np.full(len(author), -1, dtype=np.int32)
    if mentions.any():
        community = people.favourite[author[mentions]].astype(np.int64)
        mentioned[mentions] = crowd.draw(rng, community)
    columns: Columns = {
        "at": at,
        "number": first[1] + np.arange(len(author), dtype=np.int64),
        "author": (author + first[0]).astype(np.int32),
        "network": (author % 3).astype(np.int8),
        "mood": mood.astype(np.int8),
        "product": catalogue.pick(rng, category, people.taste[author]),
        "mentioned": np.where(mentioned == author + first[0], -1, mentioned).astype(np.int32),
        "reply_to": _replies(rng, people.favourite[author], first[1]),
    }
    return (
        columns
        | _text(rng, mood, people.second_favourite[author])
        | _reactions(rng, people, author, mood)
    )


def _when(rng: np.random.Generator, window: Window, people: People) -> tuple[np.ndarray, ...]:
    """Authors write while they are customers, and a while longer, about what happened."""
    start = np.clip(people.joined, 0, window.days).astype(np.float64)
    stop = np.clip(people.left + 60, start, window.days)
    count = rng.poisson(people.posts * (stop - start)) * people.has_handle
    author = np.repeat(np.arange(len(people)), count)
    level = np.zeros(len(author), dtype=np.int8)
    return author, season.draw_days(rng, window, level, start[author], stop[author])


def _mood(
    rng: np.random.Generator,
    people: People,
    bought: Purchases,
    author: np.ndarray,
    at: np.ndarray,
) -> np.ndarray:
    """The mood of each post: the person's tone, darker after a refund."""
    since = np.full(len(people), np.iinfo(np.int64).max)
    np.minimum.at(since, bought.orders["person"][bought.refunds["order"]], bought.refunds["at"])
    tone = people.tone[author] - 0.25 * (at >= since[author]) + rng.normal(0, 0.5, len(author))
    return np.where(tone > 0.3, phrases.POSITIVE, np.where(tone < -0.3, phrases.NEGATIVE, 1))


def _text(rng: np.random.Generator, mood: np.ndarray, interest: np.ndarray) -> Columns:
    """Choose the parts of each text: opening and emoji of its mood, body and closing of its mood
    and theme. People write most about one theme, which goes with their interest.
    """
    codes = {
        part: (mood * size + rng.integers(0, size, len(mood))).astype(np.int16)
        for part, size in phrases.PER_MOOD.items()
        if part in ("opening", "emoji")
    }
    count = len(themes.THEMES)
    own = rng.random(len(mood)) < _OWN_THEME
    theme = np.where(own, interest % count, rng.integers(0, count, len(mood)))
    for part, size in {"body": themes.BODIES, "closing": themes.CLOSINGS}.items():
        place = theme * size + rng.integers(0, size, len(mood))
        codes[part] = (mood * phrases.PER_MOOD[part] + place).astype(np.int16)
    tag = rng.integers(0, 2 * len(phrases.HASHTAGS), len(mood))
    codes["hashtag"] = np.where(tag < len(phrases.HASHTAGS), tag, -1).astype(np.int16)
    return codes


def _reactions(
    rng: np.random.Generator, people: People, author: np.ndarray, mood: np.ndarray
) -> Columns:
    reach = people.popularity[author] * np.where(mood == phrases.NEUTRAL, 0.6, 1.2)
    likes = rng.poisson(np.minimum(reach * rng.gamma(1.2, 3.0, len(author)), 5_000))
    return {
        "likes": likes.astype(np.int32),
        "comments": rng.binomial(likes, 0.12).astype(np.int32),
        "shares": rng.binomial(likes, np.where(mood == phrases.POSITIVE, 0.08, 0.04)).astype(
            np.int32
        ),
    }


def _replies(rng: np.random.Generator, community: np.ndarray, first: int) -> np.ndarray:
    """Some posts answer one a little earlier in the same community; −1 for the others."""
    order = np.argsort(community, kind="stable")  # posts come by time, so this keeps time inside
    position = np.arange(len(order))
    start = np.searchsorted(community[order], community[order], side="left")
    target = position - rng.geometric(0.15, len(order))
    answers: Mask = (rng.random(len(order)) < 0.12) & (target >= start)
    replies = np.full(len(order), -1, dtype=np.int64)
    replies[order[answers]] = first + order[target[answers]]
    return replies
