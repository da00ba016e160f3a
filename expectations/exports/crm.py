"""What contacts and consents must look like at the door."""

from __future__ import annotations

from expectations.checks import WARNING, Check, counted, measure, never, portion, rarely
from expectations.exports.shapes import (
    EMAIL,
    all_present,
    known,
    missing,
    named,
    rarely_repeated,
    sound_years,
    timestamp,
    well_formed,
)

PURPOSES = (
    "analytics", "legitimate-interest", "personalisation", "email", "sms", "push", "phone", "post",
    "ads",
)  # fmt: skip
MOST_COUNTRIES = 250


def contacts() -> list[Check]:
    """Return the checks of `raw.contacts`: who the customers are."""
    return [
        *all_present({"customer_id": "Every contact has a customer number"}),
        rarely_repeated(
            ["customer_id"], "Hardly any customer number is given twice in a file of contacts", 0.05
        ),
        portion(
            f"NOT {missing('email')}",
            "At least 80 % of contacts have an e-mail address",
            at_least=0.80,
        ),
        well_formed("email", EMAIL, "E-mail addresses look like e-mail addresses"),
        well_formed(
            "phone", "^[+]?[0-9()./ -]{5,}$", "Telephone numbers look like telephone numbers", 0.10
        ),
        rarely(
            "TRY_CAST(birth_date AS DATE) < DATE '1900-01-01' OR "
            f"TRY_CAST(birth_date AS DATE) > CAST({timestamp('created_at')} AS DATE)",
            "Birth dates are those of living people who could become customers",
            0.02,
        ),
        rarely(
            f"{timestamp('updated_at')} < {timestamp('created_at')}",
            "Contacts were changed after they were created, not before",
            0.01,
        ),
        measure(
            "SELECT count(DISTINCT upper(trim(country))) AS observed FROM {batch}",
            "Countries are written in one way, not in many",
            at_most=MOST_COUNTRIES,
            unit="count",
        ),
        sound_years("created_at", "Contacts were created in believable years"),
    ]


def consents() -> list[Check]:
    """Return the checks of `raw.consents`: who allowed what, and when."""
    return [
        *all_present(
            {
                "purpose": "Every consent says what it is for",
                "is_granted": "Every consent says whether it was given",
                "changed_at": "Every consent says since when",
            }
        ),
        named(["customer_id", "email"], "Every consent belongs to a customer or an e-mail address"),
        never("TRY_CAST(is_granted AS BOOLEAN) IS NULL", "Consent is a plain yes or no"),
        known("purpose", PURPOSES, "Consent is for purposes that we know", 0.95),
        counted(
            "SELECT count(*) AS observed FROM (SELECT 1 FROM {batch} "
            "GROUP BY customer_id, email, purpose, changed_at "
            "HAVING count(DISTINCT is_granted) > 1)",
            "No consent is given and withdrawn at the same moment",
            WARNING,
        ),
        sound_years("changed_at", "Consents were changed in believable years"),
    ]


def demographics() -> list[Check]:
    """Return the checks of `raw.demographics`: what a data provider knows of people."""
    return [
        named(
            ["customer_id", "email", "email_hash"],
            "Every person is named by number, e-mail address or a hash of it",
        ),
        well_formed(
            "email_hash",
            "(?i)^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$",
            "Hashes of e-mail addresses are MD5, SHA-1 or SHA-256 in hexadecimal digits",
            0.01,
        ),
        rarely(
            "TRY_CAST(household_size AS BIGINT) NOT BETWEEN 1 AND 20",
            "Households have between one and twenty persons",
            0.01,
        ),
    ]
