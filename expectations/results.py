"""What a check found, and how to say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expectations.checks import Check, Severity, Suite

SHOWN_VALUES = 5


@dataclass(frozen=True)
class CheckResult:
    """One check of one table, as it is kept in `ops.checks` and shown on the page."""

    suite: str
    table_name: str
    expectation: str
    title: str
    severity: Severity
    success: bool
    observed: str
    details: str

    @property
    def stops_the_run(self) -> bool:
        """A failed critical check: nothing may be published."""
        return not self.success and self.severity == "critical"


def result_of(
    suite: Suite, check: Check, success: bool, observed: str, details: str
) -> CheckResult:
    """Return the result of one check of a suite."""
    return CheckResult(
        suite=suite.name,
        table_name=suite.table,
        expectation=check.expectation,
        title=check.title,
        severity=check.severity,
        success=success,
        observed=observed,
        details=details,
    )


def share(value: float) -> str:
    """Return a share in percent, short but never rounded to nothing or to all.

    >>> share(0.8234), share(0.00004), share(1), share(0)
    ('82.3 %', '0.004 %', '100 %', '0 %')
    """
    percent = value * 100
    for digits in (1, 3, 6, 12):
        text = f"{percent:.{digits}f}"
        if float(text) not in (0, 100) or float(text) == percent:
            break
    return text.rstrip("0").rstrip(".") + " %"


def number(value: float) -> str:
    """Return a number with thousands separated, with two decimals or, near zero, with more.

    >>> number(8911407.9), number(3.0), number(0.0001), number(-0.0)
    ('8,911,407.9', '3', '0.0001', '0')
    """
    if value == 0:
        return "0"
    text = f"{value:,.2f}" if abs(value) >= 0.01 else f"{value:.6f}"
    return text.rstrip("0").rstrip(".")


def observed_text(check: Check, result: Mapping[str, Any]) -> str:
    """Say in a few words what Great Expectations observed."""
    if "element_count" in result:
        return _rows_text(result)
    value = result.get("observed_value")
    if value is None:
        return "nothing to measure"
    if not isinstance(value, int | float):
        return str(value)
    if check.unit in ("exceptions", "share of exceptions"):
        return f"{_said(check, value)} exceptions" if value else "no exceptions"
    return _said(check, value)


def _said(check: Check, value: float) -> str:
    return share(value) if check.unit.startswith("share") else number(value)


def _rows_text(result: Mapping[str, Any]) -> str:
    rows, unexpected = result["element_count"], result["unexpected_count"]
    if rows == 0:
        return "no rows"
    if unexpected == 0:
        return f"all {rows:,} rows"
    return f"not so in {unexpected:,} of {rows:,} rows ({share(unexpected / rows)})"


def details_text(check: Check, result: Mapping[str, Any]) -> str:
    """Say what is allowed, and show a few of the values that are not."""
    values = list(dict.fromkeys(map(str, result.get("partial_unexpected_list") or [])))
    shown = [value for value in values if value != "None"][:SHOWN_VALUES]
    found = [f"found: {', '.join(shown)}"] if shown else []
    return "; ".join([*_limits(check), *found])


def _limits(check: Check) -> list[str]:
    arguments = check.arguments
    limits = _bounds(check, arguments.get("min_value"), arguments.get("max_value"))
    if arguments.get("mostly", 1) < 1:
        limits.append(f"for at least {share(arguments['mostly'])} of the values")
    if values := arguments.get("value_set"):
        limits.append(f"one of {', '.join(values)}")
    return [f"allowed: {', '.join(limits)}"] if limits else []


def _bounds(check: Check, low: float | None, high: float | None) -> list[str]:
    if "exceptions" in check.unit and high == 0:
        return ["none"]
    if low is not None and high is not None and low == high:
        return [f"exactly {_said(check, low)}"]
    limits = [] if low is None else [f"at least {_said(check, low)}"]
    return limits if high is None else [*limits, f"at most {_said(check, high)}"]
