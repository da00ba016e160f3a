"""One small company, written once in both formats, for the tests that read files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tessera.demo import company

CUSTOMERS = 800


@dataclass(frozen=True)
class Written:
    """A written company: where it lies, what was said to be in it, and how to ask it."""

    out: Path
    truth: Path
    counts: dict[str, int]
    connection: duckdb.DuckDBPyConnection
    ending: str

    def sql(self, query: str) -> list[tuple]:
        return self.connection.sql(query).fetchall()

    def value(self, query: str) -> object:
        return self.sql(query)[0][0]

    def dirt(self, kind: str, export: str) -> set[str]:
        rows = self.sql(
            f"SELECT key FROM '{self.truth}/dirt.parquet' "
            f"WHERE kind = '{kind}' AND export = '{export}'"
        )
        return {key for (key,) in rows}


def write(root: Path, file_format: str, customers: int = CUSTOMERS, **options: int) -> Written:
    connection = duckdb.connect()
    counts = company.write(
        connection, root / "inbox", root / "truth", customers, file_format=file_format, **options
    )
    ending = "csv" if file_format == "exports" else "parquet"
    return Written(root / "inbox", root / "truth", counts, connection, ending)


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The company as CSV and JSON lines; views hold what stands there, all as text."""
    written = write(tmp_path_factory.mktemp("text"), "exports")
    for kind, pattern in {
        "contacts": "crm/contacts-*", "consents": "crm/consents-*", "orders": "shop/orders-*",
        "order_lines": "shop/order_lines-*", "refunds": "shop/refunds-*",
        "products": "shop/products*", "app_events": "app/events-*", "tickets": "support/tickets-*",
        "survey_answers": "surveys/responses-*", "campaign_events": "campaigns/events-*",
    }.items():  # fmt: skip
        written.connection.execute(
            f"CREATE TABLE {kind} AS FROM read_csv('{written.out}/{pattern}.csv', "
            "all_varchar=true, header=true, filename=true, ignore_errors=true, delim=',', "
            "quote='\"')"
        )
    for kind, pattern in {
        "web_lines": "web/events-*.jsonl.gz", "post_lines": "social/posts-*.jsonl",
    }.items():  # fmt: skip
        written.connection.execute(
            f"CREATE TABLE {kind} AS SELECT column0 AS line FROM read_csv("
            f"'{written.out}/{pattern}', header=false, delim='\x01', quote='', escape='', "
            "columns={'column0': 'VARCHAR'})"
        )
    return written


@pytest.fixture(scope="session")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The company as Parquet, in views without the re-sent copies and the duplicates."""
    written = write(tmp_path_factory.mktemp("typed"), "parquet")
    for kind, pattern in {
        "contacts": "crm/contacts-*", "consents": "crm/consents-*", "orders": "shop/orders-*",
        "order_lines": "shop/order_lines-*", "refunds": "shop/refunds-*",
        "products": "shop/products*", "app_events": "app/events-*", "web_events": "web/events-*",
        "posts": "social/posts-*", "follows": "social/follows-*", "tickets": "support/tickets-*",
        "survey_answers": "surveys/responses-*", "campaign_events": "campaigns/events-*",
    }.items():  # fmt: skip
        written.connection.execute(
            f"CREATE TABLE {kind} AS SELECT DISTINCT * FROM read_parquet('{written.out}/{pattern}')"
        )
    return written
