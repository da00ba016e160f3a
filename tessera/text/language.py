"""In which language a text is written, by py3langid (Lui & Baldwin 2012, "langid.py").

Why this one, and how sure it is of short texts: docs/decisions/sentiment.md. The answer depends on
the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from tessera.text.engine import EngineRefused
from tessera.text.lexicon import known_words

#: Of the 140 that py3langid tells apart, those in which much is posted and sold. Leaving out rare
#: neighbours (Nigerian Pidgin, Latin, Scots …) makes short texts surer.
_COMMON = (
    "af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is "
    "it ja ka kk km kn ko lt lv mk ml mn mr ms my ne nl no pa pl pt ro ru si sk sl sq sr sv sw "
    "ta te th tl tr uk ur uz vi zh"
)
COMMON = tuple(_COMMON.split())
#: Below this probability a text counts as English when enough of its words are, else as unknown.
SURE = 0.5
#: More does not make the answer surer.
MAX_LETTERS = 1_000

_NO_LETTERS = re.compile(r"[^\w' ]+|[\d_]+")
# What every English text is full of, and hardly any other.
_FUNCTION = (
    "a about after again all also always am an and any anyone are as at be because been before "
    "but by can could day did do does doing don't down each even ever every for from get give "
    "go going good got guys had has have having he her here him his how i i'd i'll i'm i've if "
    "in into is it it's its just know let like long make many me mine more most much my need "
    "never new no not nothing now of off ok okay old omg on one only or order other our out "
    "over own please put really same see she should since so some still such take than thanks "
    "thank that the their them then there these they thing things this those though through "
    "time to today together too u under until up us use very want was way we week well went "
    "were what when where which while who why will with without won't work would yes yet you "
    "your yours"
)
_FUNCTION_WORDS = frozenset(_FUNCTION.split())


def detect(texts: Sequence[str], languages: Sequence[str] = ()) -> list[str | None]:
    """Return the ISO 639 code of each text; None where there are no letters or no sure answer.

    `languages` are those that the texts may be in; without, COMMON. Raises EngineRefused for
    a code that py3langid does not know.

    >>> detect(["Wo bleibt mein Paket?", "Wrong colour", "👍 12"])
    ['de', 'en', None]
    """
    identifier = _identifier(tuple(languages) or COMMON)
    return [_detect_one(identifier, text) for text in texts]


def require_known(languages: Sequence[str]) -> None:
    """Raise EngineRefused for a code that py3langid does not know."""
    _identifier(tuple(languages) or COMMON)


@cache
def _identifier(languages: tuple[str, ...]) -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    unknown = sorted(set(languages) - set(identifier.labels))
    if unknown:
        raise EngineRefused(
            f"text.languages names {', '.join(unknown)}; known are "
            f"{' '.join(sorted(identifier.labels))}"
        )
    identifier.set_languages(languages)
    return identifier


def _detect_one(identifier: LanguageIdentifier, text: str) -> str | None:
    words = _NO_LETTERS.sub(" ", text[:MAX_LETTERS]).split()
    if not words:
        return None
    language, probability = identifier.classify(" ".join(words))
    if probability >= SURE or language == "en":
        return str(language)
    return "en" if _is_english_enough(words) and "en" in identifier.labels else None


def _is_english_enough(words: Sequence[str]) -> bool:
    known = known_words()
    english = sum((low := word.lower()) in _FUNCTION_WORDS or low in known for word in words)
    return english >= 0.4 * len(words)
