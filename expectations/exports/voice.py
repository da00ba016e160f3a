"""What customers say and how they answer: posts, follows, tickets, surveys, campaigns."""

from __future__ import annotations

from expectations.checks import Check, measure, portion, rarely
from expectations.exports.shapes import (
    all_present,
    known,
    missing,
    named,
    rarely_repeated,
    sound_years,
    timestamp,
)

MOST_NETWORKS = 20
TICKET_STATUSES = ("new", "open", "pending", "on_hold", "solved", "resolved", "closed", "reopened")
CAMPAIGN_EVENTS = ("sent", "opened", "clicked", "converted", "unsubscribed", "bounced", "delivered")


def posts() -> list[Check]:
    """Return the checks of `raw.posts`: what was said in public."""
    counts = " OR ".join(f"left({name}, 1) = '-'" for name in ("likes", "comments", "shares"))
    return [
        *all_present(
            {
                "post_id": "Every post has a number",
                "posted_at": "Every post has a time",
            }
        ),
        named(["author_handle", "author_id"], "Every post has an author"),
        rarely_repeated(["post_id"], "Hardly any post is given twice in a file", 0.02),
        portion(f"NOT {missing('text')}", "At least 90 % of posts say something", at_least=0.90),
        rarely(counts, "Likes, comments and shares are not negative", 0.0),
        measure(
            "SELECT count(DISTINCT lower(network)) AS observed FROM {batch}",
            "Networks are written in one way, not in many",
            at_most=MOST_NETWORKS,
            unit="count",
        ),
        sound_years("posted_at", "Posts were written in believable years"),
    ]


def profiles() -> list[Check]:
    """Return the checks of `raw.profiles`: social accounts."""
    return [
        named(["handle", "author_id"], "Every account has a handle or a number"),
        rarely(
            "left(followers, 1) = '-' OR left(following, 1) = '-'",
            "Counts of followers are not negative",
            0.0,
        ),
        sound_years("created_at", "Accounts were made in believable years"),
    ]


def follows() -> list[Check]:
    """Return the checks of `raw.follows`: who follows whom."""
    return [
        *all_present(
            {
                "follower_handle": "Every follow says who follows",
                "followed_handle": "Every follow says who is followed",
            }
        ),
        rarely_repeated(
            ["follower_handle", "followed_handle"], "Hardly any follow is given twice in a file"
        ),
        rarely("follower_handle = followed_handle", "Hardly anybody follows themselves", 0.01),
    ]


def tickets() -> list[Check]:
    """Return the checks of `raw.tickets`: who asked for help."""
    return [
        *all_present(
            {
                "ticket_id": "Every ticket has a number",
                "opened_at": "Every ticket has an opening time",
            }
        ),
        rarely_repeated(["ticket_id"], "Hardly any ticket is given twice in a file", 0.02),
        portion(
            f"NOT {missing('customer_id')} OR NOT {missing('email')}",
            "At least 90 % of tickets name a customer or an e-mail address",
            at_least=0.90,
        ),
        rarely(
            f"{timestamp('closed_at')} < {timestamp('opened_at')}",
            "Tickets were closed after they were opened",
            0.01,
        ),
        rarely(
            "TRY_CAST(satisfaction AS DOUBLE) NOT BETWEEN 0 AND 10",
            "Satisfaction lies between 0 and 10",
            0.01,
        ),
        known("status", TICKET_STATUSES, "Ticket statuses are ones that we know", 0.95),
        sound_years("opened_at", "Tickets were opened in believable years"),
    ]


def survey_answers() -> list[Check]:
    """Return the checks of `raw.survey_answers`: what customers answered."""
    return [
        *all_present(
            {
                "answered_at": "Every survey answer has a time",
            }
        ),
        named(
            ["customer_id", "email"],
            "Every survey answer belongs to a customer or an e-mail address",
        ),
        rarely_repeated(["response_id"], "Hardly any survey answer is given twice in a file", 0.02),
        rarely(
            "TRY_CAST(nps AS BIGINT) NOT BETWEEN 0 AND 10",
            "The willingness to recommend lies between 0 and 10",
            0.001,
        ),
        sound_years("answered_at", "Surveys were answered in believable years"),
    ]


def campaign_events() -> list[Check]:
    """Return the checks of `raw.campaign_events`: what was sent, and what became of it."""
    return [
        *all_present(
            {
                "campaign_id": "Every campaign event belongs to a campaign",
                "event": "Every campaign event says what happened",
                "occurred_at": "Every campaign event has a time",
            }
        ),
        named(
            ["customer_id", "email"],
            "Every campaign event belongs to a customer or an e-mail address",
        ),
        known("event", CAMPAIGN_EVENTS, "Campaign events are ones that we know", 0.98),
        measure(
            "SELECT (count(*) FILTER (WHERE event = 'opened'))::DOUBLE "
            "/ nullif(count(*) FILTER (WHERE event = 'sent'), 0) AS observed FROM {batch}",
            "Campaigns are not opened more often than they are sent",
            at_most=1,
            unit="share",
        ),
        sound_years("occurred_at", "Campaign events happened in believable years"),
    ]
