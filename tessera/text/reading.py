"""Making a text readable for rules: marks of the web off, hashtags to words, one kind of blank."""

from __future__ import annotations

import html
import re

#: What follows is not read: no post or ticket says more of its tone after that.
MAX_CHARACTERS = 10_000

# Control characters would glue words together (a NUL) or split them (a vertical tab); marks of
# direction and width stand inside words: blanks and nothing. Typographic apostrophes hide "don't".
_CHARACTERS: dict[int, str] = {
    **dict.fromkeys([*range(0x20), 0x7F, *range(0x80, 0xA0)], " "),
    **dict.fromkeys([0xAD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F)], ""),
    **dict.fromkeys([*range(0x2060, 0x206A), *range(0xFE00, 0xFE10)], ""),
    **dict.fromkeys(range(0x1F3FB, 0x1F400), ""),  # skin tones
    **dict.fromkeys([0x2018, 0x2019, 0x02BC, 0xFF07], "'"),
    **dict.fromkeys([0x201C, 0x201D], '"'),
}
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\w+", re.IGNORECASE)
_MENTION = re.compile(r"(?<!\w)@\w+")
_HASHTAG = re.compile(r"#(\w+)")
# #SoHappyToday, #so_happy, #top10: where a word begins inside a hashtag.
_WORD_BREAK = re.compile(r"_+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)")
# "great!!!love it": a mark between two words without a blank.
_GLUED = re.compile(r"(?<=[^\W\d_]{2})([.!?…]+|[,;:])(?=[^\W\d_]{2})")


def read(text: str | None) -> str:
    """The text as rules read it; empty for what is no text.

    >>> read("Don’t wait…@shop &amp; #NeverAgain https://example.org/x")
    "Don't wait…@ & Never Again"
    """
    if not isinstance(text, str):
        return ""
    text = text[:MAX_CHARACTERS].translate(_CHARACTERS)
    if "&" in text:
        text = html.unescape(text)
    if "@" in text or "www." in text or "://" in text:
        text = _MENTION.sub("@", _ADDRESS.sub(" ", text))
    if "#" in text:
        text = _HASHTAG.sub(lambda tag: _WORD_BREAK.sub(" ", tag[1]), text)
    return _GLUED.sub(r"\1 ", text).strip()
