"""What web and app events must look like at the door.

Web events are by far the most rows, so their suite asks little and reads narrow columns.
"""

from __future__ import annotations

from expectations.checks import Check, measure, never, portion, rarely
from expectations.exports.shapes import all_present, known, named, rarely_repeated, sound_years

EVENT_TYPES = ("page", "track", "identify", "screen", "group", "alias")
PLATFORMS = ("ios", "android", "web", "windows", "macos", "linux")
CRAWLER = "bot|crawl|spider|slurp|headless"
SAMPLE = 64
LONGEST_USE_SECONDS = 86_400


def web_events() -> list[Check]:
    """Return the checks of `raw.web_events`: what visitors did on the site."""
    return [
        never("occurred_at IS NULL", "Every web event has a time"),
        rarely(
            "anonymous_id IS NULL AND customer_id IS NULL",
            "Web events belong to a visitor or a customer",
            0.01,
        ),
        portion(
            "customer_id IS NOT NULL",
            "At least 1 % of web events name a customer, so that visits can be given to customers",
            at_least=0.01,
        ),
        rarely(f"event_type NOT IN {EVENT_TYPES}", "Web events are of kinds that we know", 0.05),
        # An event that is sent twice keeps its time, so all copies of one in 64 are looked at.
        measure(
            "SELECT 1 - count(DISTINCT key)::DOUBLE / nullif(count(*), 0) AS observed FROM "
            f"(SELECT hash(event_id) AS key FROM {{batch}} WHERE hash(occurred_at) % {SAMPLE} = 0 "
            "AND event_id IS NOT NULL)",
            "At most 2 % of web events were sent twice (one in 64 looked at)",
            at_most=0.02,
            unit="share",
        ),
        measure(
            f"SELECT avg(regexp_matches(lower(user_agent), '{CRAWLER}')::INTEGER) AS observed "
            f"FROM {{batch}} WHERE _line % {SAMPLE} = 0",
            "At most 20 % of web events come from known crawlers (one in 64 looked at)",
            at_most=0.20,
            unit="share",
        ),
        rarely("left(revenue, 1) = '-'", "Revenue of web events is not negative", 0.0),
        sound_years("occurred_at", "Web events happened in believable years"),
    ]


def app_events() -> list[Check]:
    """Return the checks of `raw.app_events`: what customers did in the app."""
    seconds = "TRY_CAST(duration_seconds AS DOUBLE)"
    return [
        *all_present(
            {
                "event_name": "Every app event says what happened",
                "occurred_at": "Every app event has a time",
            }
        ),
        named(["customer_id", "device_id"], "Every app event belongs to a customer or a device"),
        rarely_repeated(["event_id"], "Hardly any app event is given twice in a file", 0.02),
        rarely(
            f"{seconds} < 0 OR {seconds} > {LONGEST_USE_SECONDS}",
            "App use lasts between nothing and a day",
            0.001,
        ),
        known("platform", PLATFORMS, "App platforms are ones that we know", 0.95),
        portion(
            "session_id IS NOT NULL",
            "At least 90 % of app events belong to a session",
            at_least=0.90,
        ),
        sound_years("occurred_at", "App events happened in believable years"),
    ]
