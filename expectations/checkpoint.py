"""Run suites against the warehouse file, and say what came out in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from expectations.checks import Suite
from expectations.results import CheckResult


def run(
    warehouse: Path,
    suites: Sequence[Suite],
    data_docs: Path | None = None,
    as_of: date | None = None,
) -> list[CheckResult]:
    """Check tables of a DuckDB file with Great Expectations; return one result per check.

    The file is opened read-only and released before this returns, also when it raises; no other
    connection of this process may be open meanwhile (DuckDB allows one configuration a process).
    A check that could not be computed has failed. Data Docs are built into `data_docs` once, if
    it is given, named by `as_of`. The folder belongs to one gate: Great Expectations takes the
    pages of any other run out of it, so give each step its own.

    Raises:
        FileNotFoundError: there is no such warehouse file.
        expectations.validation.WarehouseNotReadable: it is locked, damaged or open elsewhere.
    """
    if not warehouse.is_file():
        raise FileNotFoundError(f"no warehouse at {warehouse}")
    if not suites:
        return []
    from expectations.validation import validate  # 2.5 s: paid only by a run

    return validate(warehouse, suites, data_docs, as_of)
