"""Heat maps that say their figures: a square for each row, and in it what it stands for."""

from __future__ import annotations

import altair as alt

from tessera.charts.shown import Drawn

_ON_LIGHT, _ON_DARK = "#101820", "#ffffff"  # of the theme's scale, whose upper half is light


def squares(
    base: alt.Chart, figure: str, form: str, depth: str | None = None, size: float = 12
) -> Drawn:
    """`base`, with x and y, as squares coloured by `figure` and labelled with it.

    `form`: the figure's number format. `depth`: its share of the greatest, 0 to 1, by which a label
    is dark or light; by default the figure itself. `size`: of the labels.
    """
    label = alt.condition(
        f"datum.{depth or figure} > 0.5", alt.value(_ON_LIGHT), alt.value(_ON_DARK)
    )
    cells = base.mark_rect().encode(alt.Color(f"{figure}:Q", legend=None))
    return cells + base.mark_text(fontSize=size).encode(
        alt.Text(f"{figure}:Q", format=form), color=label
    )
