"""Export files of a wanted size for the load rate, made by SQL alone; the same bytes each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

SAMPLE_ROWS = 200_000

LINES = """
select 'A-' || (100000 + i // 3) as order_id,
       upper(substr(md5((hash(i) % 5000)::varchar), 1, 8)) as sku,
       1 + hash(i, 1) % 5 as quantity,
       ((199 + hash(i, 2) % 20000) / 100)::decimal(18, 2) as price,
       timestamp '2024-01-01' + to_seconds(((i // 3) * 7 % 63000000)::bigint) as ordered_at,
       'c-' || hash(i // 3) % 300000 as customer,
       ['DE', 'AT', 'CH', 'FR', 'NL'][1 + (hash(i, 3) % 5)::int] as country
from range({rows}) t(i)
"""
EVENTS = """
select md5(i::varchar) as "messageId",
       ['track', 'page', 'identify'][1 + (hash(i) % 3)::int] as type,
       ['Product Viewed', 'Product Added', 'Page Viewed'][1 + (hash(i) % 3)::int] as event,
       md5((hash(i, 1) % 200000)::varchar) as "anonymousId",
       case when hash(i, 2) % 3 = 0 then 'c-' || hash(i, 1) % 200000 end as "userId",
       strftime(timestamp '2024-01-01' + to_seconds((i * 5 % 63000000)::bigint),
                '%Y-%m-%dT%H:%M:%SZ') as timestamp,
       {{page: {{path: '/p/' || hash(i, 3) % 5000, referrer: 'https://example.com/'}},
         userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'}}
         as context,
       {{product_id: hash(i, 3) % 5000, revenue: (hash(i, 4) % 10000) / 100}} as properties
from range({rows}) t(i)
"""


@dataclass(frozen=True)
class Export:
    """One format: its source, its rows as SQL, how DuckDB writes them and plainly reads them."""

    name: str
    source: Mapping[str, Any]
    rows: str
    file: str
    copy: str
    reader: str
    aim: float | None = None
    share: float = 1.0  # of the size that is asked for

    def floor(self, file: Path) -> str:
        """The plain table function over the file."""
        return self.reader.format(file=str(file).replace("'", "''"))

    def write(self, inbox: Path, size: int) -> Path:
        """Write a file of about `size` × share bytes: a sample tells the bytes of a row."""
        inbox.mkdir(parents=True)
        file = inbox / self.file
        with duckdb.connect() as connection:
            self._copy(connection, file, SAMPLE_ROWS)
            rows = int(size * self.share * SAMPLE_ROWS / file.stat().st_size)
            self._copy(connection, file, rows)
        return file

    def _copy(self, connection: duckdb.DuckDBPyConnection, file: Path, rows: int) -> None:
        connection.execute(f"copy ({self.rows.format(rows=rows)}) to '{file}' ({self.copy})")


def _order_lines() -> dict[str, Any]:
    names = {"order_id": "order_id", "product_id": "sku", "quantity": "quantity",
             "unit_price": "price", "ordered_at": "ordered_at", "customer_id": "customer",
             "country": "country"}  # fmt: skip
    return {"kind": "order_lines", "files": "*", "columns": names}


def _web_events() -> dict[str, Any]:
    names = {"event_id": "messageId", "event_type": "type", "event_name": "event",
             "anonymous_id": "anonymousId", "customer_id": "userId", "occurred_at": "timestamp",
             "path": "context.page.path", "referrer": "context.page.referrer",
             "user_agent": "context.userAgent", "product_id": "properties.product_id",
             "revenue": "properties.revenue"}  # fmt: skip
    return {"kind": "web_events", "files": "*", "columns": names}


EXPORTS: list[Export] = [
    Export("csv", _order_lines(), LINES, "lines.csv", "header", "read_csv('{file}')", 1.5),
    Export("parquet", _order_lines(), LINES, "lines.parquet", "format parquet",
           "read_parquet('{file}')", 1.5),
    Export("jsonl", _web_events(), EVENTS, "events.jsonl", "format json",
           "read_json('{file}')", 2),
]  # fmt: skip
