from __future__ import annotations

import json
from collections import defaultdict

import numpy as np
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from tessera.demo import phrases, themes
from tessera.text.topics import find_topics
from tessera.text.words import Authors


def by_persona(typed, query: str) -> dict[str, list[str]]:
    grouped = defaultdict(list)
    for persona, value in typed.sql(query):
        grouped[persona].append(value)
    return grouped


def test_tone_fits_the_persona(typed):
    texts = by_persona(typed, f"""
        SELECT persona, text FROM posts p JOIN contacts c ON p.author_handle = c.social_handle
        JOIN '{typed.truth}/customers.parquet' t ON t.customer_id = c.contact_id
        WHERE text IS NOT NULL ORDER BY id
    """)  # fmt: skip
    reader = SentimentIntensityAnalyzer()
    mood = {
        persona: np.mean([reader.polarity_scores(text)["compound"] for text in written[:150]])
        for persona, written in texts.items()
    }
    assert mood["loyal_advocate"] > mood["new_customer"] > mood["at_risk"]
    assert mood["loyal_advocate"] > mood["discount_shopper"] > mood["at_risk"]
    assert mood["loyal_advocate"] > 0.3
    assert mood["at_risk"] < -0.05


def test_each_part_of_a_mood_has_its_tone():
    reader = SentimentIntensityAnalyzer()
    for parts, size in ((phrases.BODIES, "body"), (phrases.CLOSINGS, "closing"),
                        (phrases.COMMENT_TEXTS, "comment")):  # fmt: skip
        texts = [text.replace("{}", "lamp") for text in parts.to_pylist()]
        scores = np.array([reader.polarity_scores(text)["compound"] for text in texts])
        negative, neutral, positive = scores.reshape(3, phrases.PER_MOOD[size]).mean(axis=1)
        assert negative < -0.1 < neutral < 0.25 < positive


def test_moods_have_equally_many_parts():
    for name, parts in {"opening": phrases.OPENINGS, "body": phrases.BODIES,
                        "closing": phrases.CLOSINGS, "emoji": phrases.EMOJI,
                        "comment": phrases.COMMENT_TEXTS}.items():  # fmt: skip
        assert len(parts) == 3 * phrases.PER_MOOD[name]
    assert len(phrases.TOPIC_OF_SUBJECT) == len(phrases.SUBJECTS)
    for theme in themes.THEMES.values():
        assert [(len(b), len(c)) for b, c in theme] == [(themes.BODIES, themes.CLOSINGS)] * 3
        assert all(text.count("{}") == 1 for bodies, _ in theme for text in bodies)


def test_texts_are_mostly_distinct(typed):
    total, distinct = typed.sql("SELECT count(text), count(DISTINCT text) FROM posts")[0]
    assert distinct > 0.95 * total


def test_themes_are_there_to_be_found(typed):
    rows = typed.sql("SELECT DISTINCT text, author_handle FROM posts WHERE text <> '' ORDER BY ALL")
    texts = sorted({text for text, _ in rows})
    place = {text: n for n, text in enumerate(texts)}
    author = {who: n for n, who in enumerate(sorted({who for _, who in rows}))}
    authors = Authors(
        np.array([place[text] for text, _ in rows]), np.array([author[who] for _, who in rows])
    )
    found = find_topics(texts, authors)
    assert 7 <= len(found.weights) <= len(themes.THEMES) + 2
    words = {
        name: " ".join(text for bodies, closings in moods for text in bodies + closings).lower()
        for name, moods in themes.THEMES.items()
    }
    told = set()
    for topic in range(len(found.weights)):
        best = [word for word, _ in found.top_words(topic, 5)]
        shares = {name: np.mean([word in text for word in best]) for name, text in words.items()}
        assert max(shares.values()) >= 0.8, f"{best} are the words of one theme"
        told.add(max(shares, key=shares.__getitem__))
    assert len(told) >= 7


def test_mentions_replies_and_follows_name_people_and_posts(typed):
    handles = "SELECT social_handle FROM contacts WHERE social_handle IS NOT NULL"
    assert typed.value(f"SELECT count(*) FROM posts WHERE author_handle NOT IN ({handles})") == 0
    mentioned = "SELECT id, text, unnest(mentions) AS handle FROM posts"
    assert typed.value(f"SELECT count(*) FROM ({mentioned}) WHERE handle NOT IN ({handles})") == 0
    assert (
        typed.value(f"""SELECT count(*) FROM ({mentioned})
                           WHERE NOT contains(text, '@' || handle)""")
        == 0
    )
    assert (
        typed.value("""SELECT count(*) FROM posts p LEFT JOIN posts q ON q.id = p.in_reply_to
                          WHERE p.in_reply_to IS NOT NULL
                            AND (q.id IS NULL OR q.created_at > p.created_at)""")
        == 0
    )
    assert typed.value("SELECT count(*) FROM follows WHERE follower_handle = followed_handle") == 0


def test_follows_are_preferential(typed):
    followers = [
        row[0] for row in typed.sql("SELECT count(*) FROM follows GROUP BY followed_handle")
    ]
    assert max(followers) > 8 * np.median(followers)


def test_communities_are_planted_and_in_the_truth(typed):
    rows = typed.sql(f"""
        SELECT f.community = t.community, count(*) FROM follows
        JOIN (SELECT social_handle AS h, community FROM contacts
              JOIN '{typed.truth}/customers.parquet' ON customer_id = contact_id) f
          ON f.h = follower_handle
        JOIN (SELECT social_handle AS h, community FROM contacts
              JOIN '{typed.truth}/customers.parquet' ON customer_id = contact_id) t
          ON t.h = followed_handle GROUP BY ALL
    """)
    inside = dict(rows)
    assert None not in inside, "whoever has a handle is in a community"
    assert inside[True] > 3 * inside[False]


def test_posts_are_json_lines(text):
    rows = [row[0] for row in text.sql("SELECT line FROM post_lines WHERE line LIKE '%}'")]
    post = json.loads(rows[0])
    assert list(post) == ["id", "author_handle", "network", "created_at", "text", "likes",
                          "comments", "shares", "in_reply_to", "mentions"]  # fmt: skip
    assert all(json.loads(row)["id"] for row in rows)
