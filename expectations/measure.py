"""An expectation of our own: one value, measured by one SQL statement, lies between two bounds.

`UnexpectedRowsExpectation` runs its statement twice and shows a row count only; shares, sums
and differences want to be seen as the figure they are.
"""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation


class ExpectMeasureToBeBetween(BatchExpectation):
    """The first value of the first row of `query` lies between `min_value` and `max_value`.

    Both bounds are allowed and optional; `{batch}` in the query is the table. Null passes:
    there was nothing to measure.
    """

    query: str
    min_value: float | None = None
    max_value: float | None = None

    metric_dependencies: ClassVar[tuple[str, ...]] = ("query.table",)
    success_keys: ClassVar[tuple[str, ...]] = ("query", "min_value", "max_value")
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        (first_row, *_) = metrics["query.table"]
        value = next(iter(first_row.values()))
        observed = None if value is None else float(value)
        success = observed is None or (
            (self.min_value is None or observed >= self.min_value)
            and (self.max_value is None or observed <= self.max_value)
        )
        return {"success": success, "result": {"observed_value": observed}}
