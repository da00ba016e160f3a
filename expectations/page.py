"""The page of checks: what was checked, what was loaded, what was turned away, in plain words.

One HTML file with nothing outside itself: it opens from disk, offline, on a phone, in the dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from expectations.results import CheckResult

TEMPLATE = "page.html.j2"

# First match wins. Reasons are those that the loader writes into quarantine.
ADVICE = (
    (
        "is missing",
        "Have the export fill this column in each row, or map another column to it.",
    ),
    (
        "is not a timestamp",
        "Write times as 2025-12-31T23:59:00Z; without an offset they are taken as UTC.",
    ),
    ("is not a date", "Write dates as 2025-12-31."),
    (
        "is not a decimal",
        "Write amounts with a point and without currency or thousands signs: 1234.50.",
    ),
    ("is not a boolean", "Write true or false."),
    ("is not a", "Write plain numbers, with a point and without other signs."),
    ("in the future", "Check the clock or the time zone of the system that wrote the export."),
    ("is negative", "Check the price; if it is meant, let the settings load negative prices."),
    ("duplicate", "Nothing is lost: the first copy was loaded. Send each row once."),
    (
        "malformed",
        "Check the delimiter and the quoting: the row does not have the columns of its header.",
    ),
    (
        "not a record",
        "Check that the mapped columns are the export's: the row has none of them.",
    ),
    ("empty", "Have the export sent again: the file holds nothing."),
)
OTHER_ADVICE = "Look at the raw rows in quarantine.rows, mend the export, and send it again."


@dataclass(frozen=True)
class RunFacts:
    """What the page says about the run. `data_docs`: words of a link to its relative address."""

    as_of: date
    company: str
    data_docs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A result together with the step in which it was found."""

    step: str
    result: CheckResult


@dataclass(frozen=True)
class Verdict:
    """The one sentence at the top of the page, and whether it is good news."""

    text: str
    state: str


def render(
    results: Mapping[str, Sequence[CheckResult]],
    facts: RunFacts,
    loads: Sequence[Mapping[str, Any]] = (),
    quarantine: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the page as HTML.

    `results`: step name to its results, in the order of the run. `loads`: one mapping per source
    with source, files, rows_read, rows_loaded, rows_quarantined. `quarantine`: one mapping per
    reason with source, reason, rows and, optionally, column_name; the page adds what to do.
    """
    findings = [Finding(step, result) for step, found in results.items() for result in found]
    failed = [finding for finding in findings if not finding.result.success]
    environment = Environment(
        loader=PackageLoader("expectations", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        facts=facts,
        verdict=verdict([finding.result for finding in findings]),
        critical=[finding for finding in failed if finding.result.severity == "critical"],
        warnings=[finding for finding in failed if finding.result.severity == "warning"],
        passed=_by_table([finding for finding in findings if finding.result.success]),
        loads=[_balanced(load) for load in loads],
        quarantine=[
            {**row, "what_to_do": advice(str(row["reason"]))}
            for row in sorted(quarantine, key=lambda row: -int(row["rows"]))
        ],
    )


def verdict(results: Sequence[CheckResult]) -> Verdict:
    """Sum the results up in one sentence.

    >>> verdict([])
    Verdict(text='Nothing was checked', state='bad')
    """
    critical = sum(result.stops_the_run for result in results)
    warnings = sum(not result.success for result in results) - critical
    asides = f"; {_counted(warnings, 'warning')}" if warnings else ""
    if not results:
        return Verdict("Nothing was checked", "bad")
    if critical:
        checks = _counted(critical, "critical check")
        return Verdict(f"{checks} of {len(results)} failed: nothing is published{asides}", "bad")
    needed = len(results) - warnings
    return Verdict(f"All {_counted(needed, 'check')} passed{asides}", "odd" if warnings else "good")


def advice(reason: str) -> str:
    """Say what to do about a reason for which rows or files were turned away.

    >>> advice("birth_date is not a date")
    'Write dates as 2025-12-31.'
    """
    return next((text for part, text in ADVICE if part in reason), OTHER_ADVICE)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _by_table(findings: Sequence[Finding]) -> list[tuple[str, list[CheckResult]]]:
    """Group results by table, in the order in which the tables were first checked."""
    order = list(dict.fromkeys(finding.result.table_name for finding in findings))
    ordered = sorted(findings, key=lambda finding: order.index(finding.result.table_name))
    groups = groupby(ordered, key=lambda finding: finding.result.table_name)
    return [(table, [finding.result for finding in group]) for table, group in groups]


def _balanced(load: Mapping[str, Any]) -> dict[str, Any]:
    """Add what is not accounted for: rows read, less rows loaded, less rows turned away."""
    missing = load["rows_read"] - load["rows_loaded"] - load["rows_quarantined"]
    return {**load, "missing": missing}
