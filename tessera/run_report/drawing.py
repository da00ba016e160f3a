"""Charts as pictures inside the page: small enough for a phone, told in words to who cannot see."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import altair as alt

from tessera.charts.shown import Drawn
from tessera.charts.theme import CONFIG, as_svg

WIDTH = 270
# Narrower than in the docs, with larger letters, as phones show it at three quarters.
AXIS = {**CONFIG["axis"], "labelFontSize": 14, "titleFontSize": 13, "labelLimit": 150}
LEGEND = {**CONFIG["legend"], "labelFontSize": 14, "labelLimit": 190}
NARROW: dict[str, Any] = {
    **CONFIG,
    "padding": {"left": 16, "right": 20, "top": 4, "bottom": 4},
    "view": {"stroke": None, "continuousWidth": WIDTH, "discreteWidth": WIDTH},
    "axis": AXIS,
    "legend": LEGEND,
}
# Of no use to a reader, and a tenth of the file.
IDLE = re.compile(r' (?:role|aria-[a-z]+|pointer-events|xmlns(?::xlink)?|class|version)="[^"]*"')


def told(chart: Drawn) -> str:
    """What the title of a chart says, in one sentence."""
    title = chart.title
    lines = title.text if isinstance(title, alt.TitleParams) else title
    return " ".join([lines] if isinstance(lines, str) else lines)


def picture(chart: Drawn, anchor: str, words: str) -> str:
    """The chart without its title as inline SVG that `words` describe; ids begin with `anchor`."""
    bare = chart.copy(deep=False)
    bare.title = alt.Undefined
    svg = as_svg(bare, NARROW)
    svg = re.sub(r"<style>.*?</style>", "", svg, flags=re.DOTALL)
    head, body = svg.split(">", 1)
    body = re.sub(r'\bid="', f'id="{anchor}-', IDLE.sub("", body))
    body = body.replace("url(#", f"url(#{anchor}-")
    named = f'role="img" aria-labelledby="{anchor}-told"'
    title = f'<title id="{anchor}-told">{escape(words)}</title>'
    return f"{IDLE.sub('', head)} {named}>{title}{body.strip()}"
