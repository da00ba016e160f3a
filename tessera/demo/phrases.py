"""Phrases: what people write, put together from an opening, a body, a closing and decoration.

Each mood has its own parts, so that a text's tone is one thing throughout; body and closing are of
one theme (`tessera/demo/themes.py`), so that there is something to write about. With the product's
name in the body, texts of one mood are mostly distinct. `{}` stands for the product.
"""

from __future__ import annotations

import pyarrow as pa

from tessera.demo import themes

NEGATIVE, NEUTRAL, POSITIVE = range(3)

# fmt: off
_OPENINGS = (
    ("So disappointed.", "Honestly frustrated right now.", "This is really bad.", "What a mess.",
     "Not happy at all.", "Sad to say it:", "I am angry.", "Terrible week with this shop.",
     "Third time something goes wrong.", "I used to like this shop.", "Ugh.", "Annoyed again.",
     "Poor experience today.", "Bad news:", "Lost my patience.", "Really upset about this."),
    ("Just a note:", "Question for the group:", "Update:", "For the record:", "Today's parcel:",
     "Quick one:", "Has anyone tried this?", "On my list:", "Looking at options.", "FYI:",
     "Monday errands:", "From the catalogue:", "Saw this earlier.", "Still deciding.",
     "Measuring the shelf first.", "Delivery between 10 and 12."),
    ("So happy today!", "Love this!", "What a great find.", "Best purchase in a long time.",
     "Absolutely delighted!", "Big thanks to the team!", "Wow!", "This made my day.",
     "Really impressed again.", "Good news:", "Finally here, and it is beautiful!", "So pleased!",
     "Perfect weekend.", "Can only recommend this shop.", "Happy customer here!", "Excellent!"),
)
_BODIES, _CLOSINGS = themes.parts(0), themes.parts(1)
_EMOJI = (
    ("😡", "😞", "👎", "😤", "", ""), ("📦", "🤔", "", "", "", ""),
    ("😍", "🎉", "❤️", "🙌", "👍", ""),
)
HASHTAGS = pa.array(
    ["#tessera", "#unboxing", "#slowliving", "#homeoffice", "#giftideas", "#sustainable",
     "#weekend", "#newin", "#kitchen", "#outdoorlife"]
)
SUBJECTS = pa.array(
    ["Where is my parcel?", "Order arrived damaged", "Refund not received",
     "Question about my invoice",
     "Cannot log in", "Change delivery address", "Item missing in parcel", "How do I return this?",
     "Discount code does not work", "App crashes at checkout", "Warranty question",
     "Cancel my order"]
)
# The topic of each subject, by position.
TOPICS = pa.array(["delivery", "product", "refund", "billing", "account", "technical"])
TOPIC_OF_SUBJECT = (0, 1, 2, 3, 4, 0, 0, 2, 3, 5, 1, 3)

COMMENTS = (
    ("Delivery took far too long and nobody helped.", "Poor quality, I am disappointed.",
     "Bad service, my complaint was ignored.", "Returning the item was a horrible experience.",
     "Too expensive for such weak quality.", "The refund still has not arrived. Annoying.",
     "I had problems with every order.", "The app is slow and fails at checkout."),
    ("It is okay.", "Delivery as expected.", "Nothing special.", "Average shop, average prices.",
     "I only buy here now and then.", "Wider choice of sizes would be an idea.",
     "Normal order, normal parcel.", "I compare prices before I order."),
    ("Great products and very friendly support!", "Fast delivery, beautiful packaging, love it.",
     "My favorite shop, I recommend it to all my friends.", "Excellent quality, thank you!",
     "Easy ordering and helpful staff.", "Always happy with my orders.",
     "The best coffee and the best service.", "Wonderful selection, great prices in the sale."),
)
# fmt: on


def _flat(parts: tuple[tuple[str, ...], ...]) -> pa.Array:
    return pa.array([text for mood in parts for text in mood])


OPENINGS, BODIES, CLOSINGS = _flat(_OPENINGS), _flat(_BODIES), _flat(_CLOSINGS)
EMOJI, COMMENT_TEXTS = _flat(_EMOJI), _flat(COMMENTS)
PER_MOOD = {
    "opening": len(_OPENINGS[0]),
    "body": len(_BODIES[0]),
    "closing": len(_CLOSINGS[0]),
    "emoji": len(_EMOJI[0]),
    "comment": len(COMMENTS[0]),
}
