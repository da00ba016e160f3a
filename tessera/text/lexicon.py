"""Sentiment by a lexicon and rules: VADER's, made fast, with rules for what VADER does not see.

Source: Hutto & Gilbert (2014), "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM-14. Lexicon and word lists are read from the package vaderSentiment. With
`VADER` as rules the scores are those of the package, digit for digit (but for texts with the word
'but', where the package halves equal scores by the place of the first of them). `OURS` adds, each
for a reason that has nothing to do with one data set (docs/decisions/sentiment.md):

- what precedes a word acts on it within its clause only (Das & Chen 2001; Pang, Lee &
  Vaithyanathan 2002 let a negation reach to the next punctuation mark);
- a negated verb of opinion ("I do not think that it is a good shop") negates what is thought, up
  to six words on (Horn 1978, "neg-raising"); other negations reach three words, as in VADER;
- a lengthened word is the word, said louder (Brody & Diakopoulos 2011, "Cooooooool");
- an emoji is one word with a value of its own, which no negation turns;
- words of customers that the lexicon lacks.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from vaderSentiment.vaderSentiment import (
    B_INCR,
    BOOSTER_DICT,
    C_INCR,
    N_SCALAR,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
)

from tessera.text.emoji import VALENCES as EMOJI
from tessera.text.vocabulary import VALENCES as VOCABULARY

#: Words by which a preceding word changes less, the further away it is.
_DAMPED = (1.0, 0.95, 0.9)
_NORMALISED_BY = 15
_CACHED_WORDS = 200_000
_CACHED_LENGTH = 40
_LENGTHENED = re.compile(r"([a-z])\1{2,}")
_CLAUSE_ENDS = re.compile(r"[.!?;:,…]['\")\]]*$")
_NEGATIONS = frozenset(NEGATE)
_OPINION = (
    "think thought believe believed feel felt find found consider expect say said call suppose "
    "imagine guess seem look sound"
)
_OPINIONS = frozenset(_OPINION.split())
_REACH, _REACH_OF_OPINIONS = 3, 6


@dataclass(frozen=True)
class Rules:
    """Which rules hold beside VADER's."""

    clauses: bool = False
    opinions: bool = False
    lengthened: bool = False
    vocabulary: bool = False
    emoji: bool = False


VADER = Rules()
OURS = Rules(clauses=True, opinions=True, lengthened=True, vocabulary=True, emoji=True)


class Word(NamedTuple):
    """What is known of a word, whatever stands around it."""

    lower: str
    is_upper: bool
    valence: float | None  # of the lexicon; None for a word that is not in it
    boost: float
    is_negation: bool
    is_emoji: bool
    ends_clause: bool
    is_stressed: bool  # lengthened


class Lexicon:
    """Scores texts by `rules`. Remembers the words that it has seen."""

    def __init__(self, rules: Rules = OURS) -> None:
        self.rules = rules
        self._values, self._descriptions = _read_lexicon()
        if rules.vocabulary:
            self._values = VOCABULARY | self._values
        self._emoji = EMOJI if rules.emoji else {}
        self._words: dict[str, Word] = {}

    def compound(self, text: str) -> float:
        """VADER's compound score of a text: -1 most negative, +1 most positive, 0 without words.

        >>> Lexicon().compound("I don't think that it is a good shop")
        -0.3412
        """
        words = [self._word(token) for token in self._spelled_out(text).split()]
        loud = sum(word.is_upper for word in words)
        shouts = 0 < loud < len(words)
        valences = [0.0] * len(words)
        for i, word in enumerate(words):
            if word.valence is not None and not _is_degree(words, i):
                valences[i] = word.valence if word.is_emoji else self._in_context(words, i, shouts)
        return _normalise(sum(_weigh_contrast(words, valences)), text)

    def _spelled_out(self, text: str) -> str:
        """Replace each emoji without a value of its own by its description, as VADER does."""
        if text.isascii():
            return text
        parts: list[str] = []
        glued = False
        for character in text:
            if character in self._emoji:
                parts.append(f" {character} ")
                glued = False
            elif (description := self._descriptions.get(character)) is not None:
                parts.append(f" {description}" if glued else description)
                glued = True
            else:
                parts.append(character)
                glued = character != " "
        return "".join(parts)

    def _word(self, token: str) -> Word:
        word = self._words.get(token)
        if word is None:
            word = self._look_up(token)
            if len(self._words) >= _CACHED_WORDS:
                self._words.clear()
            if len(token) <= _CACHED_LENGTH:
                self._words[token] = word
        return word

    def _look_up(self, token: str) -> Word:
        stripped = token.strip(string.punctuation)
        bare = stripped if len(stripped) > 2 else token
        lower = bare.lower()
        stressed = False
        if token in self._emoji:
            return Word(token, False, self._emoji[token], 0.0, False, True, False, False)
        if self.rules.lengthened and lower not in self._values and _LENGTHENED.search(lower):
            lower, stressed = self._shortened(lower)
        return Word(
            lower=lower,
            is_upper=bare.isupper(),
            valence=self._values.get(lower),
            boost=BOOSTER_DICT.get(lower, 0.0),
            is_negation=lower in _NEGATIONS or "n't" in lower,
            is_emoji=False,
            ends_clause=self.rules.clauses and _CLAUSE_ENDS.search(token) is not None,
            is_stressed=stressed,
        )

    def _shortened(self, lower: str) -> tuple[str, bool]:
        """The known word behind a lengthened one, and whether there is one."""
        for times in (r"\1\1", r"\1"):
            word = _LENGTHENED.sub(times, lower)
            if word in self._values or word in BOOSTER_DICT:
                return word, True
        return lower, False

    def _in_context(self, words: Sequence[Word], i: int, shouts: bool) -> float:
        """The valence of a word after what stands before it; `shouts`: some words, not all."""
        word = words[i]
        before = self._clause_before(words, i)
        valence = _after_no(words, i, before)
        if word.is_upper and shouts:
            valence += C_INCR if valence > 0 else -C_INCR
        if word.is_stressed:
            valence += B_INCR if valence > 0 else -B_INCR
        for distance, earlier in enumerate(before[:_REACH]):
            if earlier.valence is None:
                valence += _boost(earlier, valence, shouts) * _DAMPED[distance]
                valence = _negate(valence, before, distance)
                if distance == 2:
                    valence = _idiom(valence, words, i)
        if self.rules.opinions and _is_denied_opinion(before):
            valence *= N_SCALAR
        return _after_least(valence, before)

    def _clause_before(self, words: Sequence[Word], i: int) -> list[Word]:
        """The words before word i, nearest first, as far as any rule looks."""
        before: list[Word] = []
        for earlier in words[max(0, i - _REACH_OF_OPINIONS) : i][::-1]:
            if earlier.ends_clause:
                break
            before.append(earlier)
        return before


def known_words() -> Mapping[str, float]:
    """Every word of the lexicon with its value."""
    return _read_lexicon()[0]


@cache
def _read_lexicon() -> tuple[dict[str, float], dict[str, str]]:
    """Values of words and descriptions of emoji; read once in each process."""
    analyzer = SentimentIntensityAnalyzer()
    return analyzer.lexicon, analyzer.emojis


def _is_degree(words: Sequence[Word], i: int) -> bool:
    """Whether a word only strengthens or weakens others."""
    word = words[i]
    if word.boost:
        return True
    return word.lower == "kind" and i + 1 < len(words) and words[i + 1].lower == "of"


def _after_no(words: Sequence[Word], i: int, before: Sequence[Word]) -> float:
    """A 'no' before a word of the lexicon turns that word instead of counting by itself."""
    valence = words[i].valence or 0.0
    if words[i].lower == "no" and i + 1 < len(words) and words[i + 1].valence is not None:
        return _turned_by_no(valence, before, 0.0)
    return _turned_by_no(valence, before, valence)


def _turned_by_no(valence: float, before: Sequence[Word], otherwise: float) -> float:
    told = [word.lower for word in before[:3]]
    after_or = len(told) > 2 and told[2] == "no" and told[0] in {"or", "nor"}
    return valence * N_SCALAR if "no" in told[:2] or after_or else otherwise


def _boost(earlier: Word, valence: float, shouts: bool) -> float:
    boost = earlier.boost
    if boost and valence < 0:
        boost = -boost
    if boost and earlier.is_upper and shouts:
        boost += C_INCR if valence > 0 else -C_INCR
    return boost


def _negate(valence: float, before: Sequence[Word], distance: int) -> float:
    """Turn the valence for a negation so many words back; 'never so good' strengthens."""
    told = [word.lower for word in before[: distance + 1]]
    nearer = set(told[:distance])
    if distance and told[distance] == "never" and told[distance - 1] in {"so", "this"}:
        return valence * 1.25
    if distance == 2 and told[0] in {"so", "this"}:
        return valence * 1.25
    if distance and told[distance] == "without" and "doubt" in nearer:
        return valence
    return valence * N_SCALAR if before[distance].is_negation else valence


def _is_denied_opinion(before: Sequence[Word]) -> bool:
    """Whether a negation too far to act by itself stands before a verb of opinion."""
    return any(
        before[distance].is_negation and before[distance - 1].lower in _OPINIONS
        for distance in range(_REACH, len(before))
    )


def _idiom(valence: float, words: Sequence[Word], i: int) -> float:
    """What a phrase around the word says, if it is one of VADER's."""
    told = [word.lower for word in words[i - 3 : i + 3]]
    phrases = [told[2:4], told[1:4], told[1:3], told[:3], told[:2]]
    known = (SPECIAL_CASES.get(" ".join(phrase)) for phrase in phrases)
    valence = next((value for value in known if value is not None), valence)
    for phrase in (told[3:5], told[3:6]):
        valence = SPECIAL_CASES.get(" ".join(phrase), valence) if len(phrase) > 1 else valence
    return valence + sum(
        BOOSTER_DICT.get(" ".join(phrase), 0.0) for phrase in (told[:3], told[:2], told[1:3])
    )


def _after_least(valence: float, before: Sequence[Word]) -> float:
    """'Least' turns a word; 'at least' and 'very least' do not."""
    if before and before[0].lower == "least" and before[0].valence is None:
        softened = len(before) > 1 and before[1].lower in {"at", "very"}
        return valence if softened else valence * N_SCALAR
    return valence


def _weigh_contrast(words: Sequence[Word], valences: list[float]) -> list[float]:
    """What follows the first 'but' counts for more than what stands before it."""
    place = next((i for i, word in enumerate(words) if word.lower == "but"), None)
    if place is None:
        return valences
    return [v * (0.5 if i < place else 1.5) for i, v in enumerate(valences)]


def _normalise(total: float, text: str) -> float:
    """Add the emphasis of exclamation and question marks, and bring the sum between -1 and 1."""
    if total == 0:
        return 0.0
    questions = text.count("?")
    emphasis = min(text.count("!"), 4) * 0.292
    if questions > 1:
        emphasis += questions * 0.18 if questions <= 3 else 0.96
    total += math.copysign(emphasis, total)
    return round(total / math.sqrt(total * total + _NORMALISED_BY), 4)
