"""How good the segments are, and whether they treat groups of people alike."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, GREEN, GREY, MUTED, ORANGE, VERMILION

SHARE_AXIS = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1])
TOP = alt.Header(labelOrient="top", labelAngle=0)
VERDICTS = alt.Scale(
    domain=["reference", "within four fifths", "below four fifths", "too few to tell"],
    range=[BLUE, GREEN, VERMILION, GREY],
)


def fit(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """The shares that tell a fit: what it explains, whom it places badly."""
    rows = ask(
        connection,
        """
        select figure, share, segments, customers, silhouette
        from (
            select *, unnest([
                'revenue explained', 'largest segment', 'smallest segment', 'placed unsurely',
                'nearer to another'
            ]) as figure, unnest([
                revenue_explained, largest_share, smallest_share, unsure_share, misfit_share
            ]) as share
            from segments.fit_scorecards
        )
        """,
        "no segments have been judged",
    )
    told = first(rows)
    quality = "" if told["silhouette"] is None else f", mean silhouette {told['silhouette']:.2f}"
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("figure:N", title=None, sort=None),
            alt.X("share:Q", title="Share", axis=SHARE_AXIS, scale=alt.Scale(domain=[0, 1])),
        )
        .properties(
            title=titled(
                f"{told['segments']} segments of {told['customers']:,} customers{quality}"
            ),
            height=alt.Step(26),
        )
    )


def segments(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Silhouette beside stability, a pair of dots a segment."""
    rows = ask(
        connection,
        """
        select segment_name, figure, value,
            count(*) filter (standing = 'stable') over () / 2 as stable,
            count(*) over () / 2 as segments, count(stability) over () as measured,
            min(silhouette) over () as lowest, max(silhouette) over () as highest
        from (
            select *, unnest(['silhouette', 'stability']) as figure,
                unnest([silhouette, stability]) as value
            from segments.segment_scorecards
        )
        order by customers desc, segment_name, figure
        """,
        "no segments have been judged",
    )
    told = first(rows)
    stable = f"{told['stable']:.0f} of {told['segments']:.0f} segments are stable"
    if not told["measured"]:
        stable = f"Silhouettes from {told['lowest'] or 0:.2f} to {told['highest'] or 0:.2f}"
    return (
        alt.Chart(rows)
        .mark_point(size=90, opacity=1)
        .encode(
            alt.Y("segment_name:N", title=None, sort=None),
            alt.X("value:Q", title="0: none, 1: perfect", scale=alt.Scale(domainMax=1)),
            alt.Color("figure:N", title=None, scale=alt.Scale(range=[BLUE, ORANGE])),
            alt.Shape("figure:N", title=None),
        )
        .properties(
            title=titled(stable),
            height=alt.Step(26),
        )
    )


def separations(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Explained rank variance of each business measure."""
    rows = ask(
        connection,
        """
        select measure, effect, coalesce(epsilon_squared, 0) as epsilon_squared
        from segments.segment_separations
        order by epsilon_squared desc, measure
        """,
        "no segments have been judged",
    )
    most = first(rows)
    told = f"Segments differ most in {most['measure']}: {most['epsilon_squared']:.0%} explained"
    bars = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("measure:N", title=None, sort=None),
            alt.X(
                "epsilon_squared:Q",
                title="Share of the rank variance between segments",
                axis=SHARE_AXIS,
                scale=alt.Scale(domain=[0, 1]),
            ),
        )
    )
    words = bars.mark_text(align="left", dx=6).encode(alt.Text("effect:N"))
    return (bars + words).properties(title=titled(told), height=alt.Step(28))


def audit(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Ratio of each group to the best one, with its interval and the line of four fifths."""
    rows = ask(
        connection,
        """
        select group_name || ', ' || outcome_name as compared, ratio, verdict,
            greatest(ratio_low, 0) as ratio_low, least(ratio_high, 2) as ratio_high,
            row_number() over (order by ratio, attribute, group_name, outcome_name) as place,
            count(*) filter (verdict = 'below four fifths') over () as below,
            count(*) filter (verdict = 'too few to tell') over () as unclear,
            count(*) over () as comparisons
        from segments.bias_audit
        where ratio is not null and verdict <> 'reference'
        order by place
        limit 20
        """,
        "no group of people is known, or none is large enough to compare",
    )
    told = first(rows)
    labels = alt.Axis(labelLimit=230)
    by_ratio = alt.EncodingSortField("place", op="min")
    row = alt.Y("compared:N", title=None, sort=by_ratio, axis=labels)
    base = alt.Chart(rows).encode(row)
    scale = alt.Scale(domain=[0, 2])
    interval = base.mark_rule(strokeWidth=2).encode(
        alt.X("ratio_low:Q", scale=scale, title="Ratio to the best group (1: even)"),
        alt.X2("ratio_high:Q"),
        alt.Color("verdict:N", title=None, scale=VERDICTS, legend=alt.Legend(columns=2)),
    )
    dots = base.mark_point(size=60, opacity=1).encode(
        alt.X("ratio:Q", scale=scale), alt.Color("verdict:N", scale=VERDICTS)
    )
    line = alt.Chart().mark_rule(strokeDash=[4, 3], color=MUTED).encode(x=alt.datum(0.8))
    return alt.layer(line, interval, dots).properties(
        title=titled(
            f"{told['below']} of {told['comparisons']} comparisons are below four fifths; in "
            f"{told['unclear']} there are too few people to tell",
            "The lowest ratios; the dashed line is four fifths",
        ),
        height=alt.Step(20),
    )


def proxies(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """How well each feature tells the groups of each attribute."""
    rows = ask(
        connection,
        """
        select attribute, feature, auc, verdict, auc - 2 * auc_error as low,
            auc + 2 * auc_error as high,
            count(*) filter (verdict = 'proxy' and feature <> 'all features') over () as proxies
        from segments.feature_proxies
        where auc is not null
        order by attribute, feature = 'all features', auc desc, feature
        """,
        "no group of people is known, or none is large enough to compare",
    )
    colours = alt.Scale(
        domain=["proxy", "no proxy", "too few to tell"], range=[VERMILION, GREEN, GREY]
    )
    scale = alt.Scale(domain=[0.4, 1], clamp=True)
    base = alt.Chart(rows).encode(
        alt.Y("feature:N", title=None, sort=None),
        color=alt.Color("verdict:N", title=None, scale=colours),
    )
    rules = base.mark_rule(strokeWidth=2).encode(
        alt.X("low:Q", title="Area under the ROC curve (0.5: knows nothing)", scale=scale),
        alt.X2("high:Q"),
    )
    dots = base.mark_point(size=60, opacity=1).encode(alt.X("auc:Q", scale=scale))
    told = f"{first(rows)['proxies']} features tell a group of people"
    return (
        alt.layer(rules, dots)
        .properties(height=alt.Step(22))
        .facet(row=alt.Row("attribute:N", title=None, header=TOP), title=titled(told))
    )


SHOWN = {
    "fit_scorecards": Shown(
        fit,
        """
        select model_id, segments, customers, round(silhouette, 3) as silhouette,
            round(revenue_explained, 3) as revenue_explained
        from segments.fit_scorecards
        """,
    ),
    "segment_scorecards": Shown(
        segments,
        """
        select segment_name, customers, round(silhouette, 2) as silhouette,
            round(stability, 2) as stability, round(is_retained, 2) as retained_share
        from segments.segment_scorecards
        order by customers desc, segment_name
        """,
    ),
    "segment_separations": Shown(
        separations,
        """
        select measure, customers, round(kruskal_h, 1) as kruskal_h,
            round(epsilon_squared, 3) as epsilon_squared, effect
        from segments.segment_separations
        order by epsilon_squared desc nulls last, measure
        """,
    ),
    "bias_audit": Shown(
        audit,
        """
        select attribute, kind, verdict, count(*) as comparisons
        from segments.bias_audit
        group by all
        order by attribute, kind, comparisons desc, verdict
        """,
    ),
    "feature_proxies": Shown(
        proxies,
        """
        select attribute, feature, round(auc, 2) as auc, verdict
        from segments.feature_proxies
        order by auc desc nulls last, attribute, feature
        limit 5
        """,
    ),
}
