"""Words of customers that VADER's lexicon lacks, -4 most negative to +4 most positive.

VADER's words come from tweets; those of people who buy, wait, return and complain are partly not
there. Values by our own judgement, set beside VADER's own for words of like strength (good 1.9,
bad -2.5, broken -2.1, damage -2.2). VADER's value holds where it has one.
"""

from __future__ import annotations

_BY_VALUE = {
    2.5: "flawless flawlessly outstandingly superbly impeccable unbeatable",
    2.0: "comfy sturdy durable stylish well-made top-notch top-quality high-quality reliable "
    "hassle-free spotless crisp yummy delicious tasty speedy",
    1.5: "recommend recommended recommends upgrade versatile lightweight intuitive responsive "
    "effortless effortlessly seamless seamlessly punctual roomy well-packed snug affordable",
    -1.5: "overpriced pricey refund refunded flimsy bulky noisy sluggish laggy delayed delays late "
    "missing wobbly leaky leaking leaks stained scratched dented outdated glitch glitches glitchy "
    "buggy bugs waited unanswered incomplete misleading",
    -2.0: "faulty defective defect defects malfunction malfunctioned malfunctioning unusable "
    "unreliable shoddy unhelpful unresponsive unprofessional subpar overcharged incompetent "
    "crashes crashed crashing shattered ripped torn cheaply uncomfortable unsatisfied "
    "underwhelming underwhelmed misled downhill",
    -2.5: "ripoff rip-off unacceptable appalling abysmal atrocious horrendous scammed scammers "
    "garbage trash rubbish crappy worthless dreadful",
}
VALENCES: dict[str, float] = {
    word: value for value, words in _BY_VALUE.items() for word in words.split()
}
