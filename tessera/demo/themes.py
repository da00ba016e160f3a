"""Themes: what posts are about. A post has one, and takes its body and its closing from it.

For each theme and mood (negative, neutral, positive) so many bodies and closings; `{}` stands for
the product. Words of a theme are used in all its moods, so that a topic is not merely a tone.
"""

from __future__ import annotations

Sentences = tuple[str, ...]
# Bodies and closings of one mood.
Mood = tuple[Sentences, Sentences]

BODIES, CLOSINGS = 3, 2

# fmt: off
THEMES: dict[str, tuple[Mood, Mood, Mood]] = {
    "delivery": (
        (("The courier lost my parcel with the {}",
          "Still waiting for the delivery of the {}, the tracking is useless",
          "The parcel with the {} was left in the rain by the courier"),
         ("Worst courier, no delivery at all.", "The tracking of this parcel is a bad joke.")),
        (("The courier brings the {} on Thursday",
          "Tracking says the parcel with the {} is in Leipzig",
          "My delivery of the {} goes to the neighbour"),
         ("The courier rings twice.", "Tracking number noted, delivery before noon.")),
        (("The delivery of the {} was super fast", "The courier carried the {} upstairs, so kind",
          "The parcel with the {} came a day early, great tracking"),
         ("Thank you, dear courier!", "Best delivery ever, the parcel was perfect.")),
    ),
    "size": (
        (("Wrong size of the {} again, far too small",
          "The {} does not fit, the size chart is wrong",
          "I measured twice and the {} is still too wide, annoying"),
         ("The size chart is useless.", "Nothing fits, a sad waste of time.")),
        (("The {} comes in three sizes",
          "Does the {} fit a narrow shelf? I measured 40 centimetres",
          "The size chart of the {} is on the second page"),
         ("I take the medium size.", "Measured the width twice before it fits.")),
        (("The {} fits perfectly, the size chart is great", "Love how the {} fits, true to size",
          "I measured the shelf and the {} fits like a dream"),
         ("The size is perfect.", "It fits, so happy with the size chart!")),
    ),
    "colour": (
        (("The colour of the {} is nothing like the photo, so ugly",
          "The {} is a dull grey, the photo was a lie", "The colour of the {} faded, terrible"),
         ("The shade in the photo was misleading, bad.", "I hate this colour.")),
        (("The {} comes in blue and green as well", "The photo shows the {} in a darker shade",
          "The colour of the {} changes with the daylight"),
         ("Blue or green, I will see.", "Photo in another shade follows.")),
        (("The colour of the {} is gorgeous, better than the photo",
          "Love the green shade of the {}",
          "The {} in blue looks beautiful in daylight"),
         ("What a beautiful shade!", "The photo does not show how lovely this colour is.")),
    ),
    "price": (
        (("The {} is overpriced, the discount was a trick",
          "My voucher failed and the {} was full price, bad",
          "They raised the price of the {} just before the sale, shame"),
         ("No discount, no thanks, awful.", "Worst sale, the voucher is useless.")),
        (("The {} costs the same in the sale", "Is there a voucher for the {} this month?",
          "I compare the price of the {} every week"),
         ("The sale runs until Sunday.", "Voucher in the mail, price noted.")),
        (("Got the {} half price with a voucher, amazing sale",
          "The {} is worth every cent of its price",
          "Great discount on the {}, so happy"),
         ("Love a good sale!", "Best voucher, best price.")),
    ),
    "website": (
        (("The website crashed while I put the {} in the basket",
          "The app froze at checkout with the {}, terrible",
          "I cannot log in to order the {}, the password fails"),
         ("The app is horribly slow.", "Awful website, checkout failed again.")),
        (("The app has a new menu, the {} is under search",
          "I saved the {} in the app and log in tonight",
          "The website shows the {} on the second screen"),
         ("New password, same app.", "Checkout on the website takes two screens.")),
        (("Ordered the {} in the app in a minute, so easy",
          "The new website is great, I found the {} at once",
          "Checkout for the {} was smooth, love the app"),
         ("Best app, easy checkout!", "The website is a pleasure, brilliant search.")),
    ),
    "gift": (
        (("The {} was a birthday gift and came without wrapping, so sad",
          "My sister was disappointed by the {}, a ruined birthday",
          "The gift card with the {} had the wrong name, embarrassing"),
         ("A ruined surprise.", "Worst birthday gift, no ribbon, no card.")),
        (("The {} goes to my sister for her birthday", "Ordered the {} as a gift with a ribbon",
          "The wrapping of the {} is red paper with a card"),
         ("The birthday is on Saturday.", "Gift card written, ribbon chosen.")),
        (("The {} is a perfect birthday gift, my mother loved it",
          "Such lovely wrapping around the {}, a real surprise",
          "My friends adore the {} as a gift"),
         ("The best birthday surprise!", "Beautiful ribbon, beautiful card, thank you.")),
    ),
    "packaging": (
        (("So much plastic around the {}, awful packaging",
          "The {} came in a huge box full of foam, what a waste",
          "The cardboard of the {} was torn and dirty"),
         ("Stop this plastic waste, it is terrible.", "Bad packaging, bad for the planet.")),
        (("The {} comes in recycled cardboard", "The box of the {} goes to the paper bin",
          "There is foam and paper around the {}"),
         ("Cardboard flattened, foam in the bin.", "The box is 30 by 40, recycled.")),
        (("The {} came without any plastic, great packaging",
          "Love the recycled cardboard around the {}",
          "The box of the {} is so pretty that I keep it"),
         ("Good for the planet, thank you!", "No plastic, no foam, wonderful.")),
    ),
    "returns": (
        (("I had to return the {} and the refund is missing",
          "They refuse to refund the {}, unacceptable",
          "The return label for the {} does not scan, so annoying"),
         ("I want my refund.", "Three weeks for a refund is a disgrace.")),
        (("I return the {} with the label from the box", "The refund for the {} takes a week",
          "The return label of the {} is in the drawer"),
         ("Label printed, counter open until six.", "The refund goes to the same account.")),
        (("The return of the {} was so easy, refund on the same day",
          "Great that the label for the {} was in the box",
          "They refunded the {} without a question, impressed"),
         ("Best refund ever, thanks!", "Returning with this label is a joy.")),
    ),
    "store": (
        (("The staff in the store were rude when I asked for the {}",
          "The store was out of the {} and nobody at the counter cared",
          "Queued an hour at the counter for the {}, horrible"),
         ("Rude staff, sad store.", "Never again in that queue.")),
        (("I picked up the {} at the store counter",
          "The store on the corner has the {} on its shelf",
          "The staff keep the {} at the counter until Friday"),
         ("The store is open until six.", "Short queue at the counter today.")),
        (("The staff in the store found the {} for me, so friendly",
          "Tried the {} at the store, lovely people at the counter",
          "No queue, great advice on the {} from the staff"),
         ("Such friendly staff!", "Love this store, smiles at the counter.")),
    ),
    "assembly": (
        (("Screws of the {} were missing and the manual is a mess",
          "The manual of the {} is useless, I broke a part",
          "Took three hours to assemble the {}, painful"),
         ("Terrible manual, lost two screws.", "A broken part and no tools, I am angry.")),
        (("The manual of the {} is online", "It takes two screws to assemble the {}",
          "The parts of the {} lie on the floor, tools too"),
         ("Step four of the manual next.", "Tools and screws counted, one part to go.")),
        (("The {} was easy to assemble, the manual is brilliant",
          "All screws and tools came with the {}, perfect",
          "Assembled the {} with my daughter, what fun"),
         ("Best manual, great parts!", "No tools needed, love it.")),
    ),
}
# fmt: on


def parts(place: int) -> tuple[Sentences, ...]:
    """The bodies (place 0) or the closings (1): for each mood, theme after theme."""
    return tuple(
        tuple(text for moods in THEMES.values() for text in moods[mood][place]) for mood in range(3)
    )
