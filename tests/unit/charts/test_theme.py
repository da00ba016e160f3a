from __future__ import annotations

import altair as alt
import duckdb
import pytest

from tessera.charts import theme
from tessera.charts.shown import NothingToDraw, Shown, ask, titled


def chart() -> alt.Chart:
    rows = ask(duckdb.connect(), "select 'a' as name, 1.5::decimal(18, 4) as share", "nothing")
    return alt.Chart(rows).mark_bar().encode(x="share:Q", y="name:N").properties(title=titled("A"))


def test_a_chart_is_the_same_each_time() -> None:
    assert theme.as_svg(chart()) == theme.as_svg(chart())


def test_a_chart_needs_nothing_from_elsewhere_and_is_dark_on_dark_pages() -> None:
    svg = theme.as_svg(chart())
    assert svg.replace("http://www.w3.org/", "").count("http") == 0
    assert "<script" not in svg
    assert "prefers-color-scheme:dark" in svg
    assert f'[fill="{theme.INK}"]' in svg
    assert f'fill="{theme.INK}"' in svg.split("</style>")[1]


def test_sums_of_integers_stay_integers() -> None:
    rows = ask(duckdb.connect(), "select sum(x) as total from (values (1), (2)) t(x)", "nothing")
    assert rows.to_pylist() == [{"total": 3}]
    assert isinstance(rows["total"][0].as_py(), int)


def test_without_rows_there_is_nothing_to_draw() -> None:
    with pytest.raises(NothingToDraw, match="no orders"):
        ask(duckdb.connect(), "select 1 as x where false", "no orders")


def test_a_table_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from tessera.charts import features, registry

    twice = {"segment_profiles": Shown(lambda _: chart(), "select 1")}
    monkeypatch.setattr(features, "SHOWN", twice)
    with pytest.raises(ValueError, match="segment_profiles"):
        registry.shown()
