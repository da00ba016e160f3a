"""What stands on the page, in order."""

from __future__ import annotations

from tessera.run_report import changes, choice, places, profile, quality
from tessera.run_report.part import Part

SEGMENT_NUMBERS = """
    select segment_name as segment, customers, round(100 * customer_share, 1) as "% of customers",
        round(100 * revenue_share, 1) as "% of revenue", median_recency_days as "median days since",
        median_frequency as "median orders", median_monetary as "median spent"
    from segments.segment_profiles order by gross_revenue desc, segment_name
"""
MAPPED_NUMBERS = """
    select segment_name as segment, count(*) as sampled, median(pca_x) as "axis 1 (median)",
        median(pca_y) as "axis 2 (median)", avg(silhouette) as mean_silhouette
    from ml.segment_maps join segments.segment_profiles using (segment_id, as_of)
    group by segment_name order by sampled desc, segment_name
"""
EVIDENCE_NUMBERS = f"""
    select algorithm, k, silhouette, stability, inertia, is_chosen as chosen, reason
    from segments.fit_evidence where {choice.LATEST} order by algorithm, k
"""
MOVES_NUMBERS = """
    select coalesce(from_segment_name, from_segment_id) as "from",
        coalesce(to_segment_name, to_segment_id) as "to", cause, customers
    from segments.segment_migrations
    where as_of = (select max(as_of) from segments.fit_scorecards)
    order by customers desc, "from", "to", cause limit 60
"""
LINEAGE_NUMBERS = """
    select as_of, event, from_segment_name as "from", segment_name as segment, shared_customers
    from segments.segment_lineage order by as_of desc, event_number limit 60
"""
AUDIT_NUMBERS = """
    select attribute, group_name as "group", outcome_name as outcome, customers,
        round(100 * rate, 1) as "%", ratio, verdict
    from segments.bias_audit
    order by verdict <> 'below four fifths', attribute, outcome_name, group_name limit 80
"""
PROXY_NUMBERS = """
    select attribute, feature, auc, verdict from segments.feature_proxies
    order by attribute, auc desc nulls last, feature
"""
MAPPED = ("ml.segment_maps", "segments.segment_profiles", "segments.fit_scorecards")

CHAPTERS: dict[str, tuple[Part, ...]] = {
    "The segments": (
        Part("sizes", "Sizes and revenue", ["segments.segment_profiles"], numbers=SEGMENT_NUMBERS),
        Part(
            "profiles",
            "What sets them apart",
            ["segments.customer_segments", "features.customer_features"],
            "Mean percentile of their customers among all: 50 is as everybody, 100 the most.",
            profile.heat,
            profile.standings,
        ),
        Part(
            "pca",
            "Map by variance (PCA)",
            MAPPED,
            "Each mark is a customer. Segments that overlap here may lie apart in other features.",
            places.pca,
            MAPPED_NUMBERS,
        ),
        Part(
            "tsne",
            "Map by neighbours (t-SNE)",
            MAPPED,
            "Who is near is alike. Sizes of groups and distances between them mean nothing.",
            places.tsne,
            MAPPED_NUMBERS,
        ),
    ),
    "How good they are": (
        Part(
            "silhouettes",
            "How well customers fit",
            MAPPED,
            "Each customer is a thin line; the dashed line is the mean.",
            places.silhouettes,
            MAPPED_NUMBERS,
        ),
        Part(
            "elbow",
            "How many clusters: the elbow",
            ["segments.fit_evidence"],
            "More clusters always leave less spread; a bend shows where more gain little.",
            choice.elbow,
            EVIDENCE_NUMBERS,
        ),
        Part(
            "scores",
            "How many clusters: separation and stability",
            ["segments.fit_evidence"],
            "Silhouette: how far apart. Stability: whether other customers give the same clusters.",
            choice.scores,
            EVIDENCE_NUMBERS,
        ),
        Part("stability", "Stability of each segment", ["segments.segment_scorecards"]),
        Part(
            "separation",
            "Do they differ in business?",
            ["segments.segment_separations"],
            "Kruskal–Wallis; large from 14 % of the variance of ranks, small below 6 %.",
        ),
        Part(
            "gates",
            "Judged before going live",
            ["segments.model_gates"],
            "A fit that does not hold every gate assigns nobody; the ML model in use goes on.",
        ),
    ),
    "What changed": (
        Part(
            "moves",
            "Who moved, and why",
            ["segments.segment_migrations"],
            "Behaviour: she changed. Boundary: the segments did. Correction: late data.",
            changes.moves,
            MOVES_NUMBERS,
        ),
        Part(
            "lineage",
            "What became of the segments",
            ["segments.segment_lineage"],
            "A line a segment, from run to run.",
            changes.lineage,
            LINEAGE_NUMBERS,
        ),
        Part("lifecycle", "Stages of life", ["segments.lifecycle_transitions"]),
        Part("flows", "Stages of life, by week", ["segments.lifecycle_flows"]),
    ),
    "Whom they serve badly": (
        Part(
            "audit",
            "Groups of people in segments",
            ["segments.bias_audit"],
            "The lowest ratios. Below four fifths (dashed) is a question to ask, not a verdict.",
            numbers=AUDIT_NUMBERS,
        ),
        Part(
            "proxies",
            "Features that tell the group",
            ["segments.feature_proxies"],
            "A proxy betrays a group that was kept out of the clustering.",
            numbers=PROXY_NUMBERS,
        ),
    ),
    "The data": (
        Part(
            "quality",
            "Read, refused, checked",
            ["ops.loads", "ops.checks"],
            draw=quality.refusals,
            numbers=quality.NUMBERS,
        ),
    ),
}
