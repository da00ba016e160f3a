"""What a text says beside its tone: complaint, praise, wish to buy, price, threat to leave.

Rules over English words, in the order in which one reads: contractions are written out; questions
and conditions say nothing of what is the case; a negation takes back the words after it (the scope
to the clause's end of Pang, Lee & Vaithyanathan 2002, cut to four words). Each signal is then one
pattern on what is left. Patterns are RE2's, which Arrow runs over whole columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

#: Column names of a text's signals, in order.
NAMES = (
    "is_complaint",
    "is_praise",
    "has_purchase_intent",
    "mentions_price",
    "threatens_churn",
)

_WRITTEN_OUT = (
    (r"\bcan(?:'t|not|t)\b", "can not"),
    (r"\bwon'?t\b", "will not"),
    (r"\b(do|does|did|is|are|was|were|has|have|had|would|could|should)n'?t\b", r"\1 not"),
    (r"\bi'?m\b", "i am"),
    (r"\b(i|we|you|they|it)'(?:ll)\b", r"\1 will"),
    (r"\b(i|we|you|they)'d\b", r"\1 would"),
    (r"\b(we|you|they)'re\b", r"\1 are"),
    (r"\bgonna\b", "going to"),
    (r"\bwanna\b", "want to"),
)
_QUESTIONS = (r"[^.!?]*\?+", " . ")
_CONDITIONS = (
    r"\b(?:if|unless|would be|could be|would have|wish|hope|hopefully|thought (?:it|this|that|they)"
    r"|better late)\b[^.!?,;:]*",
    " ",
)
_PAST = (r"\b(?:old|previous) (?:one|\w+)\b[^.!?,;:]*", " ")
_NEGATED = (
    r"\b(?:not|never|no|none|nothing|nobody|hardly|without|neither|nor|isnt|aint)\b"
    r"(?:[ ]+[\w'-]+){0,4}",
    " ",
)

_THINGS = (
    r"(?:order|parcel|package|packet|delivery|refund|item|shipment|money|invoice|reply|answer)"
)
_FAULTS = (
    r"\b(?:broken|broke|damaged|cracked|shattered|scratched|dented|torn|ripped|stained|faulty"
    r"|defective|fell apart|falls apart|coming apart|came off|came apart|fall(?:ing)? apart"
    r"|stopped working|crash(?:es|ed|ing)?|fails?|failed|glitch\w*|buggy|leak(?:s|ed|ing)"
    r"|wrong (?:size|colour|color|item|product|order|address|one)|missing|went missing"
    r"|lost (?:my|our|the) \w+|charged (?:me )?twice|overcharged|overpriced|too expensive"
    r"|(?:was|is|were|are|arrived|came|too|so|hours|days|weeks) (?:late|delayed|slow|rude)"
    r"|another delay|far too long|rude|useless|unhelpful|unprofessional|unacceptable|unreliable"
    r"|incompetent|worthless|scam\w*|rip-?off|waste of (?:money|time)|disappoint\w*|unsatisf\w*"
    r"|dissatisf\w*|frustrat\w*|annoy\w*|fed up|regret \w+|terrible|horrible|awful|dreadful"
    r"|appalling|abysmal|atrocious|worst|poor (?:\w+ )?(?:quality|service|experience|support)"
    r"|(?:quality|service|support|experience) (?:\w+ ){0,3}(?:is|was) (?:\w+ )?(?:poor|bad)"
    r"|(?:bad|weak|lousy|shoddy) (?:\w+ )?(?:quality|service|experience|support|shop|product)"
    r"|feels? cheap|smells? (?:bad|terrible|horrible|awful)|wobbly|flimsy|shoddy|(?:was|is|were)"
    r" empty|keeps? (?:logging|crashing|failing|freezing|breaking|asking|losing|sending)"
    r"|still (?:waiting|no|missing|not|has not|have not)|complain|money back|need a refund"
    r"|want (?:a|my) refund|cancelled without|blames?|cost me (?:all )?my nerves"
    r"|what a (?:mess|joke|shame)|avoid (?:this|them|it|at)|should have been"
    r"|problems? with every)\b"
)
_DENIED_FAULTS = (
    r"\b(?:(?:has|have|had|did|was|were) (?:still )?(?:not|never)(?: yet)?"
    r" (?:arrive\w*|received?|delivered|come|shipped|answered|helped|been (?:\w+ )?(?:paid|sent))"
    r"|never (?:received|arrived|got|came|delivered|answers?|answered|shipped)"
    r"|refund not received|not (?:received|delivered|arrived)"
    r"|(?:does|do|did|is|are|was|will) not (?:work\w*|fit|last|help\w*|function\w*|open|charge|hold"
    r"|load|answer|respond|love|like|good|great|happy|satisfied|worth|acceptable|usable"
    r"|recommend\w*)"
    r"|not (?:good|great|happy|satisfied|worth|acceptable|ok|okay|amused)"
    r"|can not (?:\w+ )?(?:log|login|pay|recommend|use|open|reach|order|check)"
    r"|(?:nobody|no one|no-one) (?:\w+ )?(?:answers?|answered|helps?|helped|knows?|was happy"
    r"|is happy|responds?|cares?|replies|replied|can tell)"
    r"|no (?:reply|answer|response|reaction|sign of|refund|help)|nothing like the|without (?:a word"
    r"|an answer|any reply)|thanks for nothing|do not (?:buy|order|shop)|never (?:\w+ )?again)\b"
)
_ASKED_FAULTS = (
    rf"\bwhere (?:is|are|the \w+ is) (?:my|our|the) {_THINGS}\b"
    rf"|\bwhen (?:will|do|does) (?:i|my|our) (?:\w+ ){{0,3}}{_THINGS}\b|\bstill waiting\b"
)
_SOLVED = (
    r"\b(?:fixed|solved|resolved|sorted|replaced|mended) (?:it|this|that|everything|the|my|out|at"
    r"|within|in)\b|\bno (?:complaints?|problems?|issues?)\b"
)

_PRAISE = (
    r"\b(?:excellent|wonderful|fantastic|awesome|amazing|perfect(?:ly)?|gorgeous|beautiful(?:ly)?"
    r"|flawless|superb|outstanding|brilliant|fabulous|impeccable|delighted|thrilled|impressed"
    r"|pleased|satisfied|surprised|adores?|five stars|5 stars|kudos|well done|bravo|thumbs up"
    r"|works? (?:like a charm|great|perfectly|well|fine)|like a charm|worth (?:every|the|each|it)"
    r"|(?:really|absolutely|just|i|we|also|and|still|totally) (?:love|loved|enjoy|like) (?:this|the"
    r"|it|my|our|these|them|how|your|every)|love (?:it|this|these|them|my new|the new)|^love"
    r"|(?:you|they|you guys|team) (?:are|is) (?:great|the best|amazing|awesome|fantastic)|guys rock"
    r"|you rock|rocks|(?:so|very|super|really|always|extremely|am|are) (?:happy|glad|friendly"
    r"|comfortable|comfy|helpful)|happy customer|(?:can only|highly|definitely|strongly|would|i|we)"
    r" recommend(?:ed)?|(?:most|super|very|so) comfortable|(?:helpful|friendly) (?:\w+ )?(?:staff"
    r"|team|support|service|people)|(?:great|good|super|top|best|fast|quick|lovely|nice) (?:\w+ )?"
    r"(?:service|quality|shop|store|product|products|team|support|value|staff|delivery|find"
    r"|purchase|shoes|experience|packaging|coffee|prices|selection|work|customer service)"
    r"|best (?:\w+ ){1,3}(?:i|we) (?:\w+ )?(?:ever|had|owned|bought)|best (?:thing|purchase|buy)"
    r"|(?:arrived|came|delivered|delivery|shipped) (?:was |is )?(?:\w+ )?(?:early|fast|quickly)"
    r"|day early|(?:well|beautifully|carefully|nicely) (?:packed|made|wrapped)|buy again"
    r"|above and beyond|thank you for|thanks for (?:the|your)|big thanks|my (?:new )?favou?rite"
    r"|is my favou?rite|can not live without|bargain|made my day|is fine|but nice|very nice"
    r"|keep up the)\b"
)
_DENIED_FAILINGS = (
    r"\b(?:no|not a single|never any|not any|without any|zero) (?:\w+ )?(?:complaints?|problems?"
    r"|issues?|scratch(?:es)?|flaws?|fault|faults)\b|\bnever (?:\w+ )?(?:let me down|disappoint\w*"
    r"|failed me|had (?:a )?better|go anywhere else|forget how)\b|\bnot bad\b|\bnot disappoint\w*"
    r"|\b(?:can|could) not (?:be happier|live without|recommend (?:\w+ )?enough|fault)\b"
    r"|\bnot leave this\b"
)

_BUYING = r"(?:buy|buying|order|ordering|purchase|purchasing)"
_GETTING = (
    r"(?:get|getting|pick(?:ing)? up) (?:\w+ ){0,2}(?:one|two|it|this|these|them|pair|set|version"
    r"|model|size)"
)
_INTENT = (
    rf"\b(?:i|we) (?:am |are |will |would |have |\w+ly |really |just |also )*(?:going to"
    rf"|planning to|plan to|thinking (?:of|about)|thinking to|looking to|want to|like to|love to"
    rf"|need to|about to|intend to|will|would) (?:\w+ly )?(?:{_BUYING}|{_GETTING})\b"
    rf"|\b(?:going to|planning to|thinking of|thinking about|looking to|will"
    rf"|ready to|tempted to) (?:\w+ly )?(?:{_BUYING}|{_GETTING})\b"
    r"|\b(?:i|we) (?:am|are) (?:\w+ly )getting\b"
    r"|\b(?:i|we) (?:\w+ly |really |so |just )*(?:want|need) (?:this|these|one|two|three)\b"
    r"|^(?:want|need) (?:this|these|one)\b|[.!?,] *(?:want|need) (?:this|these)\b"
    r"|\btake my money\b|\b(?:shopping|wish) ?list\b|\bmy (?:shopping )?cart\b"
    r"|\bmy next (?:purchase|order|buy)\b|\bon my list\b"
)
_ASKED_INTENT = (
    rf"\bcan not wait to {_BUYING}\b|\b(?:where|how) (?:can|could|do|may) (?:i|we) (?:{_BUYING}"
    r"|get (?:one|this|it|these))\b|\bback in stock\b|\bcan i (?:still )?(?:buy|order)\b"
    r"|\bdo you (?:still )?(?:sell|have) (?:this|these|it|the)\b"
)
_OTHERS_BUY = (r"\b(?:you|he|she|they|anyone|someone|people|everyone|shop)\b[^.!?,;:]*", " ")

_PRICE = (
    r"\b(?:prices?|pric(?:ed|ing|ey)|overpriced|expensive|cheap(?:er|est)|cheap (?:one|price)"
    r"|too cheap|discounts?|vouchers?|coupons?|bargains?|afford(?:able)?|shipping costs?|costs?"
    r" (?:me )?(?:too much|a lot|a fortune|less|more|only|about|around|just|[$€£]?\d)"
    r"|how much (?:is|are|does|do|for)|what (?:does|do|will) [^.!?]*\bcost|value for money"
    r"|waste of money|great value|half price|on sale|in the sale|free shipping"
    r"|charged (?:me )?(?:twice|too much|double)|overcharged|money is tight|for free)\b"
    r"|[$€£] ?\d|\d ?(?:[$€£]|(?:euros?|dollars?|pounds?|usd|eur|gbp|bucks|cents)\b)"
)
_NO_PRICE = (r"\b(?:discounted|at what) (?:level|cost)\b|\bpriceless\b", " ")

_LEAVING = (
    r"\b(?:will|would|shall|am|are|going to|do) (?:not|never) (?:be )?(?:buy|buying|order|ordering"
    r"|shop|shopping|come|coming|return|returning|purchase|use)\b[^.!?]*\b(?:again|here|any ?more"
    r"|back|from (?:you|them)|with (?:you|them))\b"
    r"|\bnever (?:ever )?(?:again|(?:buy|order|shop|buying|ordering|shopping)\b[^.!?]*\bagain)\b"
    r"|\bnot (?:ordering|buying|shopping|coming)\b[^.!?]*\b(?:again|any ?more|here|back)\b"
    r"|\b(?:was|is) (?:my|our|the) (?:very )?last (?:order|purchase)\b"
    r"|\blast time (?:that )?(?:i|we) (?:\w+ )?(?:shop|order|buy|use)\b"
    r"|\bcancel(?:l?ing|l?ed)? (?:my|our) (?:subscription|membership|account|plan|contract"
    r"|subscriptions)\b"
    r"|\b(?:close|delete|deleting|closing) (?:my|our) (?:\w+ )?account\b"
    r"|\bdeleted? (?:the|your|my) (?:app|account)\b"
    r"|\bterminate (?:my|our|the) (?:contract|subscription|account|membership|plan)\b"
    r"|\b(?:take|taking) (?:my|our) (?:business|money) elsewhere\b|\bgo(?:ing)? elsewhere\b"
    r"|\b(?:switch|switching|switched|move|moving|changing|change) to (?:another|a different|other"
    r"|your competitor|the competition|a competitor)\b"
    r"|\byour competitors?\b[^.!?]*\b(?:go|switch|there|instead|next)\b"
    r"|\b(?:you|they|have|just) (?:just )?lost (?:a|me as a|another|one more) (?:\w+ )?customer\b"
    r"|\bdone with (?:you|them|this (?:company|shop|store|brand|app|service|place)|your)\b"
    r"|\bunsubscribe me\b|\b(?:am|are) gone\b|\b(?:am|are) leaving (?:you|this (?:shop|company))\b"
)
_STAYING = r"\bnever go anywhere else\b|\bnot leave this\b|\bnever order without\b"


def find(texts: Sequence[str]) -> pa.Table:
    """Return one boolean column per signal of NAMES, one row per English text.

    The texts are such as `tessera.text.reading.read` gives.

    >>> find(["Never again, the lamp was broken!"]).to_pylist()[0]["threatens_churn"]
    True
    """
    plain = _rewrite(pc.utf8_lower(pa.array(texts, pa.string())), _WRITTEN_OUT)
    told = _rewrite(plain, [_QUESTIONS, _CONDITIONS])
    affirmed = _rewrite(told, [_PAST, _NEGATED])
    columns = [
        _complaints(plain, told, affirmed),
        _any(_has(affirmed, _PRAISE), _has(told, _DENIED_FAILINGS)),
        _any(_has(_rewrite(told, [_NEGATED, _OTHERS_BUY]), _INTENT), _has(plain, _ASKED_INTENT)),
        _has(_rewrite(plain, [_NO_PRICE]), _PRICE),
        pc.and_not(_has(plain, _LEAVING), _has(plain, _STAYING)),
    ]
    return pa.table(columns, names=list(NAMES))


def _complaints(plain: pa.Array, told: pa.Array, affirmed: pa.Array) -> pa.Array:
    found = _any(_has(affirmed, _FAULTS), _has(told, _DENIED_FAULTS), _has(plain, _ASKED_FAULTS))
    return pc.and_not(found, _has(plain, _SOLVED))


def _rewrite(texts: pa.Array, changes: Sequence[tuple[str, str]]) -> pa.Array:
    for pattern, replacement in changes:
        texts = pc.replace_substring_regex(texts, pattern, replacement)
    return texts


def _has(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(texts, pattern)


def _any(*conditions: pa.Array) -> pa.Array:
    return reduce(pc.or_, conditions)
