"""The last gate: what the tables that people read must look like before they are published."""

from __future__ import annotations

from datetime import date

from expectations.checks import (
    WARNING,
    Check,
    Suite,
    counted,
    has_rows,
    matches,
    measure,
    never,
    one_of,
    present,
    unique,
    within,
)
from expectations.segments.features import LIFECYCLE_STAGES
from expectations.segments.features import TABLE as FEATURES
from expectations.segments.shapes import all_of_the_run, no_difference, same_customers

CUSTOMERS = "segments.customer_segments"
PROFILES = "segments.segment_profiles"
HISTORY = "segments.segment_history"
WITHOUT_PURCHASE = "without-purchase"
SLUG = "^[a-z0-9]+(-[a-z0-9]+)*$"
LARGEST_SHARE, SMALLEST_SHARE = 0.80, 0.005
MOST_SEGMENTS = 25
SHARES_ROUNDING = 1e-4  # each stored share may be rounded to six decimals


def suites(as_of: date) -> list[Suite]:
    """Return the suites of the three published tables, for the run of a date."""
    return [
        Suite("segments.customer_segments", CUSTOMERS, tuple(_customer_segments(as_of))),
        Suite("segments.segment_profiles", PROFILES, tuple(_segment_profiles(as_of))),
        Suite("segments.segment_history", HISTORY, tuple(_segment_history(as_of))),
    ]


def _customer_segments(as_of: date) -> list[Check]:
    return [
        has_rows("There is at least one customer in a segment"),
        present("customer_id", "Every row of segments belongs to a customer"),
        unique("customer_id", "No customer is in two segments"),
        same_customers(FEATURES, "Every customer is in a segment, and nobody else is"),
        all_of_the_run(as_of, "All segments are as of this run's date"),
        present("segment_id", "Every customer's segment has an identifier"),
        present("segment_name", "Every customer's segment has a name"),
        present("model_id", "Every customer's segment says which ML model gave it"),
        matches("segment_id", SLUG, "Segment identifiers are plain lower-case words"),
        counted(
            "SELECT count(*) AS observed FROM (SELECT 1 FROM {batch} GROUP BY segment_id "
            "HAVING count(DISTINCT segment_name) > 1)",
            "No segment has two names",
        ),
        within("confidence", "Confidence lies between 0 and 100 %", 0, 1),
        within("distance", "Distances to a segment's centre are not negative", 0),
        one_of("lifecycle_stage", LIFECYCLE_STAGES, "Lifecycle stages of segments are known ones"),
        never(
            f"(coalesce(frequency, 0) = 0) <> (segment_id = '{WITHOUT_PURCHASE}')",
            "Customers without a purchase are in their own segment, and only they",
        ),
        *_shares(),
    ]


def _shares() -> list[Check]:
    shares = "(SELECT count(*) / sum(count(*)) OVER () AS share FROM {batch} GROUP BY segment_id)"
    return [
        measure(
            f"SELECT max(share) AS observed FROM {shares}",
            "No segment holds more than 80 % of customers",
            at_most=LARGEST_SHARE,
            unit="share",
        ),
        measure(
            f"SELECT min(share) AS observed FROM {shares}",
            "No segment holds less than 0.5 % of customers",
            at_least=SMALLEST_SHARE,
            unit="share",
        ),
        measure(
            "SELECT count(DISTINCT segment_id) AS observed FROM {batch} "
            f"WHERE segment_id <> '{WITHOUT_PURCHASE}'",
            "Customers who bought are in at least two segments, and not in too many",
            at_least=2,
            at_most=MOST_SEGMENTS,
            unit="count",
        ),
    ]


def _segment_profiles(as_of: date) -> list[Check]:
    return [
        has_rows("There is at least one segment"),
        present("segment_id", "Every profile belongs to a segment"),
        unique("segment_id", "No segment has two profiles"),
        present("segment_name", "Every profile has a segment's name"),
        all_of_the_run(as_of, "All profiles are as of this run's date"),
        counted(
            "SELECT count(*) AS observed FROM (SELECT segment_id, customers FROM {batch}) AS here "
            f"FULL JOIN (SELECT segment_id, count(*) AS customers FROM {CUSTOMERS} GROUP BY ALL) "
            "AS there USING (segment_id) WHERE here.customers IS DISTINCT FROM there.customers",
            "Each profile counts the customers that are in its segment",
        ),
        no_difference(
            "coalesce(sum(gross_revenue), 0) - "
            f"(SELECT coalesce(sum(gross_revenue), 0) FROM {FEATURES})",
            "Segments' revenue adds up to customers' revenue, to the cent",
        ),
        no_difference(
            "coalesce(sum(customer_share), 1) - 1",
            "Shares of customers add up to 100 %",
            SHARES_ROUNDING,
        ),
        no_difference(
            "CASE WHEN coalesce(sum(gross_revenue), 0) = 0 THEN 0 "
            "ELSE coalesce(sum(revenue_share), 0) - 1 END",
            "Shares of revenue add up to 100 %",
            SHARES_ROUNDING,
        ),
        within("customer_share", "Each share of customers lies between 0 and 100 %", 0, 1),
        within("revenue_share", "Each share of revenue lies between 0 and 100 %", 0, 1),
        within("at_risk_share", "Each share of customers at risk lies between 0 and 100 %", 0, 1),
        never(
            "coalesce(trim(description), '') = '' OR coalesce(trim(suggested_action), '') = ''",
            "Every segment has a description and a suggested action",
            WARNING,
        ),
    ]


def _segment_history(as_of: date) -> list[Check]:
    day = f"DATE '{as_of.isoformat()}'"
    following = "lead(valid_from) OVER (PARTITION BY customer_id ORDER BY valid_from)"
    return [
        present("customer_id", "Every stay in a segment belongs to a customer"),
        present("segment_id", "Every stay names its segment"),
        present("valid_from", "Every stay has a first day"),
        never("valid_to <= valid_from", "Every stay lasts at least a day"),
        never(f"valid_from > {day} OR valid_to > {day}", "No stay begins or ends in the future"),
        counted(
            f"SELECT count(*) AS observed FROM (SELECT valid_to, {following} AS next_from "
            "FROM {batch}) WHERE next_from < coalesce(valid_to, DATE '9999-12-31')",
            "Nobody is in two segments on the same day",
        ),
        counted(
            "SELECT count(*) AS observed FROM (SELECT customer_id, segment_id FROM {batch} "
            f"WHERE valid_to IS NULL) AS here RIGHT JOIN {CUSTOMERS} AS there USING (customer_id) "
            "WHERE here.segment_id IS DISTINCT FROM there.segment_id",
            "The history ends in the segment that each customer is in today",
        ),
    ]
