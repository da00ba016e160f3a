"""Where customers lie: two maps and the silhouette plot, of the sample that was kept of a run."""

from __future__ import annotations

import altair as alt
import duckdb
import pyarrow as pa

from tessera.charts.shown import Drawn, ask, first, titled
from tessera.charts.theme import CATEGORIES, MUTED

SHAPES = [
    "circle", "square", "cross", "diamond", "triangle-up", "triangle-down", "triangle-right",
    "triangle-left",
]  # fmt: skip
NAMED = """
    select mapped.*, names.segment_name, names.customers
    from ml.segment_maps as mapped
    join segments.segment_profiles as names using (segment_id, as_of)
"""


def pca(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """The two directions in which customers differ most."""
    rows = ask(
        connection,
        f"""
        select placed.*, map_explained_x, map_explained_y, map_feature_x, map_feature_y
        from ({NAMED}) as placed join segments.fit_scorecards using (as_of)
        where pca_x is not null order by customers desc, segment_name, customer_id
        """,
        "customers do not differ in any feature",
    )
    told = first(rows)
    kept = told["map_explained_x"] + told["map_explained_y"]
    return _map(
        rows,
        ("pca_x", _axis(1, told["map_feature_x"])),
        ("pca_y", _axis(2, told["map_feature_y"])),
        f"Two axes keep {kept:.0%} of how {rows.num_rows:,} sampled customers differ",
    )


def tsne(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Who is near whom."""
    rows = ask(
        connection,
        f"select * from ({NAMED}) where tsne_x is not null "
        "order by customers desc, segment_name, customer_id",
        "too few customers, or all alike",
    )
    near = _neighbours_of_own_segment(connection)
    return _map(
        rows,
        ("tsne_x", "t-SNE, first axis"),
        ("tsne_y", "t-SNE, second axis"),
        f"The nearest neighbour of {near:.0%} of the customers on the map is of her own segment",
    )


def silhouettes(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """How well each sampled customer sits in her segment, sorted within it."""
    rows = ask(
        connection,
        f"""
        select segment_name, customers, silhouette,
            row_number() over (order by customers desc, segment_name, silhouette, customer_id)
                as place,
            avg((silhouette < 0)::integer) over () as misfits
        from ({NAMED}) where silhouette is not null order by place
        """,
        "a silhouette needs two segments",
    )
    base = alt.Chart(rows)
    areas = base.mark_area(orient="horizontal", interpolate="step").encode(
        alt.Y("place:Q", title="Customers, segment by segment", axis=None, sort="descending"),
        alt.X("silhouette:Q", title="Silhouette (1: surely here, below 0: nearer to another)"),
        _colour(rows),
    )
    mean = base.mark_rule(color=MUTED, strokeDash=[4, 3]).encode(alt.X("mean(silhouette):Q"))
    misfits = first(rows)["misfits"]
    return (areas + mean).properties(
        title=titled(f"{misfits:.0%} of the sampled customers are nearer to another segment"),
        height=300,
    )


def _map(rows: pa.Table, x: tuple[str, str], y: tuple[str, str], sentence: str) -> Drawn:
    bare = alt.Axis(labels=False, ticks=False, grid=False)
    return (
        alt.Chart(rows.select([x[0], y[0], "segment_name", "customers"]))
        .mark_point(size=22, opacity=0.8)
        .encode(
            alt.X(x[0], type="quantitative", title=x[1], axis=bare),
            alt.Y(y[0], type="quantitative", title=y[1], axis=bare),
            _colour(rows),
            _shape(rows),
        )
        .properties(title=titled(sentence), height=300)
    )


def _colour(rows: pa.Table) -> alt.Color:
    """One colour a segment, the same on all maps: by size."""
    legend = alt.Legend(columns=2)
    return alt.Color("segment_name:N", title=None, scale=_scale(rows, CATEGORIES), legend=legend)


def _shape(rows: pa.Table) -> alt.Shape:
    """One shape a segment beside its colour, for who does not see colours."""
    return alt.Shape("segment_name:N", title=None, scale=_scale(rows, SHAPES))


def _scale(rows: pa.Table, signs: list[str]) -> alt.Scale:
    names = list(dict.fromkeys(rows["segment_name"].to_pylist()))
    return alt.Scale(domain=names, range=[signs[n % len(signs)] for n in range(len(names))])


def _axis(number: int, feature: str | None) -> str:
    return f"Axis {number}" + (f", mostly {feature}" if feature else "")


def _neighbours_of_own_segment(connection: duckdb.DuckDBPyConnection) -> float:
    found = connection.execute(
        """
        with placed as (
            select customer_id, segment_id, tsne_x, tsne_y from ml.segment_maps
            join segments.fit_scorecards using (as_of) where tsne_x is not null
        )
        select avg((own = nearest)::integer) from (
            select one.customer_id, any_value(one.segment_id) as own,
                arg_min(other.segment_id, pow(one.tsne_x - other.tsne_x, 2)
                    + pow(one.tsne_y - other.tsne_y, 2)) as nearest
            from placed as one join placed as other on one.customer_id <> other.customer_id
            group by one.customer_id
        )
        """
    )
    return float(found.fetchall()[0][0] or 0)
