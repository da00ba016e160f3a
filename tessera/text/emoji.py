"""What emoji say, in the unit of VADER's lexicon: -4 most negative to +4 most positive.

VADER reads an emoji as the words of its Unicode name, which often say nothing ("raising hands") or
mislead ("face with tears of joy"). Here are those that people use most to say how they feel, with
values by our own judgement of how they are used; an emoji that is not here keeps VADER's reading.
"""

from __future__ import annotations

_BY_VALUE = {
    3.0: "😍🥰😻🤩💯",
    2.5: "😊😁😃😄😀😆🎉🥳❤♥💖💕💗💓💘💝🧡💛💚💙💜🤎🖤🤍😘🏆",
    2.0: "👍👏🙌🙏😂🤣😎🤗☺🙂😇💪✨⭐🌟👌🤝✅🎊😋😉😹😸😺💐🌹🫶",
    1.0: "🔥😌😏🚀🎁🌈☀🌞🍀",
    -1.0: "🤔😐😑🙄😕🫤😶😬😓⚠😟",
    -2.0: "👎😞😔🙁☹😒😩😫😖😣😰😥😢😿💔🤦😪🤷❌😨😧😦😯🗑",
    -2.5: "😤😠😭😱🤮🤢💩😾",
    -3.0: "😡🤬👿🖕",
}
# Shrugs and thoughtful faces lean negative only a little.
VALENCES: dict[str, float] = {
    character: value for value, characters in _BY_VALUE.items() for character in characters
} | {"🤔": -0.3, "🤷": -0.6, "😶": -0.3, "😯": 0.0, "😏": 0.4, "😭": -1.0, "😱": -1.0, "🔥": 1.5}
