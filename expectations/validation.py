"""One run of Great Expectations over a warehouse file. Imports it, so import this late."""

from __future__ import annotations

import logging
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import great_expectations as gx
from great_expectations.core import ExpectationValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.data_context.ephemeral_data_context import (
    EphemeralDataContext,
)
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.datasource.fluent.interfaces import DataAsset
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metadata_types import FailureSeverity
from sqlalchemy.exc import DBAPIError

from expectations.checks import Check, Suite
from expectations.datasource import WHOLE_TABLE, DuckDBDatasource, schema_of
from expectations.measure import ExpectMeasureToBeBetween
from expectations.results import CheckResult, details_text, observed_text, result_of

TITLE = "title"
DOCS_SITE = "data_docs"
MESSAGE_LENGTH = 500


class WarehouseNotReadable(RuntimeError):
    """The warehouse file cannot be opened for reading; the message says why."""


def validate(
    warehouse: Path, suites: Sequence[Suite], data_docs: Path | None, as_of: date | None
) -> list[CheckResult]:
    """Run the suites in one checkpoint and return their results in the order of the checks."""
    with quiet(), ExitStack() as closing:
        context = _context()
        unreadable: dict[str, str] = {}
        definitions = []
        for schema, of_schema in groupby(sorted(suites, key=_schema), key=_schema):
            here = list(of_schema)
            datasource = _open(warehouse, schema, here, closing)
            context.add_datasource(datasource=datasource)
            existing = datasource.table_names()
            for suite in here:
                if _table(suite) in existing:
                    asset = datasource.get_asset(suite.name)
                    definitions.append(_definition(context, asset, suite))
                else:
                    unreadable[suite.name] = f"there is no table {suite.table}"
        found = _run(context, definitions, _run_id(as_of)) if definitions else {}
        if data_docs is not None:
            _build_data_docs(context, data_docs)
        return [
            _result(suite, check, found.get(suite.name, {}), unreadable.get(suite.name))
            for suite in suites
            for check in suite.checks
        ]


def _schema(suite: Suite) -> str:
    return suite.table.partition(".")[0]


def _table(suite: Suite) -> str:
    return suite.table.partition(".")[2]


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the loggers and warnings of Great Expectations and of the DuckDB dialect."""
    logger = logging.getLogger("great_expectations")
    before, silent = logger.propagate, logging.NullHandler()
    logger.addHandler(silent)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.propagate = before
        logger.removeHandler(silent)


def _context() -> EphemeralDataContext:
    """Return a context that keeps everything in memory and sends nothing anywhere."""
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _open(
    warehouse: Path, schema: str, suites: Sequence[Suite], closing: ExitStack
) -> DuckDBDatasource:
    """Return a schema's datasource with one asset a suite, connected until `closing` closes."""
    tables = {suite.name: _table(suite) for suite in suites}
    datasource = schema_of(warehouse, schema, tables)
    engine = datasource.get_execution_engine()
    closing.callback(engine.close)
    try:
        with engine.get_connection():
            return datasource
    except DBAPIError as error:
        raise WarehouseNotReadable(
            f"cannot open {warehouse.name} for reading: {_short(str(error.orig))}"
        ) from error


def _definition(
    context: EphemeralDataContext, asset: DataAsset[Any, Any], suite: Suite
) -> gx.ValidationDefinition:
    expectations = gx.ExpectationSuite(
        name=suite.name, expectations=[_expectation(check) for check in suite.checks]
    )
    return context.validation_definitions.add(
        gx.ValidationDefinition(
            name=suite.name,
            data=asset.get_batch_definition(WHOLE_TABLE),
            suite=context.suites.add(expectations),
        )
    )


def _expectation(check: Check) -> Expectation:
    """Return the Great Expectations object of a check; its title travels in the metadata."""
    kinds = {ExpectMeasureToBeBetween.__name__: ExpectMeasureToBeBetween}
    kind = kinds.get(check.expectation) or getattr(gx.expectations, check.expectation)
    return kind(
        **check.arguments,
        severity=FailureSeverity(check.severity),
        description=check.title,
        meta={TITLE: check.title},
    )


def _run_id(as_of: date | None) -> RunIdentifier | None:
    """Name the run by its date, so that the same run writes the same pages again."""
    if as_of is None:
        return None
    midnight = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    return RunIdentifier(run_name=f"as-of-{as_of.isoformat()}", run_time=midnight)


def _run(
    context: EphemeralDataContext,
    definitions: Sequence[gx.ValidationDefinition],
    run_id: RunIdentifier | None,
) -> dict[str, dict[str, ExpectationValidationResult]]:
    """Return suite name → title → result."""
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(name="gate", validation_definitions=list(definitions), result_format="BASIC")
    )
    found: dict[str, dict[str, ExpectationValidationResult]] = defaultdict(dict)
    for validation in checkpoint.run(run_id=run_id).run_results.values():
        for result in validation.results:
            config = result.expectation_config
            if config is not None and config.meta:
                found[validation.suite_name][config.meta[TITLE]] = result
    return found


def _build_data_docs(context: EphemeralDataContext, folder: Path) -> None:
    """Build the pages once, for all suites; they replace those of an earlier run in the folder."""
    context.add_data_docs_site(
        DOCS_SITE,
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder.resolve()),
            },
        },
    )
    context.build_data_docs(site_names=[DOCS_SITE])


def _result(
    suite: Suite,
    check: Check,
    found: dict[str, ExpectationValidationResult],
    unreadable: str | None,
) -> CheckResult:
    """Read one result. What was not computed has failed, whatever Great Expectations says."""
    if unreadable is not None:
        return result_of(suite, check, False, "table not readable", unreadable)
    result = found.get(check.title)
    if result is None:
        return result_of(suite, check, False, "not checked", "no result came back")
    if message := _exception_message(result.exception_info or {}):
        return result_of(suite, check, False, "could not be checked", message)
    if not _was_computed(result.result):
        return result_of(suite, check, False, "could not be checked", "no figure was computed")
    observed = observed_text(check, result.result)
    return result_of(
        suite, check, bool(result.success), observed, details_text(check, result.result)
    )


def _was_computed(result: dict[str, Any]) -> bool:
    """Whether the figures are there: without them row-wise expectations pass vacuously."""
    if "element_count" in result:
        return result["element_count"] == 0 or result.get("unexpected_count") is not None
    return "observed_value" in result


def _exception_message(info: dict[str, Any]) -> str:
    """Return what was raised, or nothing. Comes flat, or keyed by the metric that failed."""
    entries = [info] if "raised_exception" in info else list(info.values())
    messages = [
        str(entry.get("exception_message") or "raised without a message")
        for entry in entries
        if isinstance(entry, dict) and entry.get("raised_exception")
    ]
    return _short("; ".join(dict.fromkeys(messages)))


def _short(message: str) -> str:
    """Return a message on one line, cut where it turns into a traceback."""
    line = " ".join(message.split("Traceback", maxsplit=1)[0].split())
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + "…"
