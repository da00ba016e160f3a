"""One look for all charts, readable on white and on black, and the way to SVG.

Categories have the colours of Okabe and Ito (Color Universal Design, 2008), quantities `cividis`
(Nuñez et al., PLOS ONE 13(7), 2018): both are told apart by colour-blind readers and in grey.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tessera.charts.shown import Drawn

INK, MUTED, LINE = "#1f2933", "#566573", "#d5dbe1"
BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW, GREY = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8a949e",
)  # fmt: skip
CATEGORIES = [BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW, GREY]
QUANTITY = "cividis"
# Liberation Sans is part of vl-convert: the same measures on every machine. A reader without any of
# them has a wider face, for which the paddings leave room.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
WIDTH = 420
# On a dark page: by the colours that are written above, whatever they were used for.
DARK = {INK: "#e4e7eb", MUTED: "#a9b4bf", LINE: "#3b4650"}

CONFIG: dict[str, Any] = {
    "background": None,
    "aria": False,  # the page has the alternative text; names on every mark would double the file
    "font": FONT,
    "padding": {"left": 24, "right": 44, "top": 8, "bottom": 8},
    "view": {"stroke": None, "continuousWidth": WIDTH, "discreteWidth": WIDTH},
    "title": {
        "anchor": "start", "frame": "group", "color": INK, "fontSize": 16, "lineHeight": 20,
        "subtitleColor": MUTED, "subtitleFontSize": 12.5, "subtitlePadding": 5, "offset": 14,
    },
    "axis": {
        "labelColor": INK, "titleColor": MUTED, "labelFontSize": 13, "titleFontSize": 12.5,
        "titleFontWeight": "normal", "gridColor": LINE, "domainColor": LINE, "tickColor": LINE,
        "labelLimit": 190, "titlePadding": 12,
    },
    "legend": {
        "labelColor": INK, "titleColor": MUTED, "labelFontSize": 13, "titleFontSize": 12.5,
        "titleFontWeight": "normal", "orient": "bottom", "labelLimit": 240, "symbolType": "square",
        "columnPadding": 24,
    },
    "header": {"labelColor": INK, "titleColor": MUTED, "labelFontSize": 13, "labelAnchor": "start"},
    "text": {"color": INK, "fontSize": 12.5},
    "rule": {"color": MUTED},
    "bar": {"color": BLUE},
    "line": {"color": BLUE, "strokeWidth": 2},
    "point": {"color": BLUE, "filled": True},
    "range": {
        "category": CATEGORIES, "heatmap": {"scheme": QUANTITY}, "ramp": {"scheme": QUANTITY},
    },
}  # fmt: skip


def as_svg(chart: Drawn, config: Mapping[str, Any] = CONFIG) -> str:
    """The chart as SVG: without scripts, fonts or times, dark where the reader's page is."""
    import vl_convert

    spec = chart.to_dict(context={"pre_transform": False})
    spec["config"] = config
    svg = vl_convert.vegalite_to_svg(spec)
    head, rest = svg.split(">", 1)
    return f"{head}>{dark_style()}{rest}\n"


def dark_style() -> str:
    """The style that turns the theme's ink light where the reader's page is dark."""
    rules = "".join(
        f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}'
        for light, dark in DARK.items()
    )
    return f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
