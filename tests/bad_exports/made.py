"""Bad exports that are made rather than kept: binary ones, and those too large to keep."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).parent
MEGABYTE = 1024**2


def content(name: str) -> bytes:
    """The bytes of a file of the corpus, read or made."""
    return MADE[name]() if name in MADE else (FOLDER / name).read_bytes()


def _good(name: str) -> bytes:
    return (FOLDER / "good" / name).read_bytes()


def _many(name: str) -> bytes:
    """A good text file, its rows repeated until half of it, packed, has rows in it."""
    first, *rest = _good(name).splitlines(keepends=True)
    return first + b"".join(rest) * 5_000


def _noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


def _half(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _zip(name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, _good("0-lines.csv"))
    return packed.getvalue()


def _zst(whole: bytes) -> bytes:
    return pa.compress(whole, codec="zstd", asbytes=True)


def _line(sku: str) -> bytes:
    """Three order lines, the second with this product."""
    row = "{},{},1,4.00,2025-12-01 11:00:00,c-1\n"
    rows = [row.format(1001, "MUG-1"), row.format(1002, sku), row.format(1003, "PEN-3")]
    return ("order,sku,quantity,price,ordered_at,customer\n" + "".join(rows)).encode()


def _event(number: int, path: str = '"/p"') -> str:
    return (
        f'{{"messageId": "e-{number}", "timestamp": "2025-12-01T11:00:00Z", "userId": "c-1", '
        f'"context": {{"page": {{"path": {path}}}}}, "properties": {{"revenue": 1.5}}}}\n'
    )


def _events(path: str) -> bytes:
    return (_event(1) + _event(2, path) + _event(3)).encode()


def _array(events: int) -> bytes:
    return json.dumps([json.loads(_event(number)) for number in range(events)]).encode()


LINES: Mapping[str, list[Any]] = {
    "order": ["1001", "1002", "1003"],
    "sku": ["MUG-1", "CUP-2", "PEN-3"],
    "quantity": [2, 1, 1],
    "price": [9.5, 4.0, 1.2],
    "ordered_at": [datetime(2025, 12, 1, hour) for hour in (10, 11, 12)],
    "customer": ["c-1", "c-2", "c-3"],
}


def _parquet(**changed: Any) -> bytes:
    """Three order lines as Parquet; a column given as None is left out."""
    columns = {k: v for k, v in {**LINES, **changed}.items() if v is not None}
    return _written(pa.table(columns))


def _written(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, use_dictionary=False)
    return stream.getvalue()


def _column_twice() -> bytes:
    table = pa.table(dict(LINES))
    return _written(table.rename_columns([*table.column_names[:-1], "sku"]))


def _damaged() -> bytes:
    """The pages overwritten with noise; the footer still says that all is well."""
    whole = _parquet()
    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    return whole[:4] + _noise(end - 4) + whole[end:]


def _all_null() -> bytes:
    return _written(pa.table({name: pa.nulls(3, pa.string()) for name in LINES}))


MADE: Mapping[str, Callable[[], bytes]] = {
    "csv/picture.csv": lambda: b"\x89PNG\r\n\x1a\n" + _noise(5_000),
    "csv/workbook.csv": lambda: _zip("xl/workbook.xml"),
    "csv/cut.csv.gz": lambda: _half(gzip.compress(_many("0-lines.csv"), mtime=0)),
    "csv/noise.csv.gz": lambda: gzip.compress(b"", mtime=0)[:10] + _noise(500),
    "csv/text.csv.gz": lambda: _line("CUP-2"),
    "csv/zip.csv.gz": lambda: _zip("lines.csv"),
    "csv/nothing.csv.gz": lambda: gzip.compress(b"", mtime=0),
    "csv/cut.csv.zst": lambda: _half(_zst(_many("0-lines.csv"))),
    "csv/long-field.csv": lambda: _line("x" * 10 * MEGABYTE),
    "csv/too-long-line.csv": lambda: _line("x" * 33 * MEGABYTE),
    "json/cut.jsonl.gz": lambda: _half(gzip.compress(_many("0-events.jsonl"), mtime=0)),
    "json/array-large.json": lambda: _array(20_000),
    "json/deep.jsonl": lambda: _events("[" * 5_000 + "]" * 5_000),
    "json/long-line.jsonl": lambda: _events('"' + "x" * 33 * MEGABYTE + '"'),
    "good/0-lines.parquet": lambda: _parquet(order=["900001", "900002", "900003"]),
    "good/zz-lines.parquet": lambda: _parquet(order=["900004", "900005", "900006"]),
    "parquet/empty.parquet": lambda: b"",
    "parquet/cut.parquet": lambda: _half(_parquet()),
    "parquet/magic-only.parquet": lambda: b"PAR1PAR1",
    "parquet/text.parquet": lambda: _good("0-lines.csv"),
    "parquet/damaged-page.parquet": _damaged,
    "parquet/column-missing.parquet": lambda: _parquet(price=None),
    "parquet/no-rows.parquet": lambda: _written(pa.table(dict(LINES)).slice(0, 0)),
    "parquet/new-column.parquet": lambda: _parquet(gift=[True, False, None]),
    "parquet/quantity-as-text.parquet": lambda: _parquet(quantity=["2", "one", "1"]),
    "parquet/price-as-struct.parquet": lambda: _parquet(price=[{"eur": 1}] * 3),
    "parquet/price-as-list.parquet": lambda: _parquet(price=[[1], [2], []]),
    "parquet/price-nan.parquet": lambda: _parquet(price=[9.5, float("nan"), 1.2]),
    "parquet/price-overflow.parquet": lambda: _parquet(price=[9.5, 1e30, 1.2]),
    "parquet/time-as-epoch.parquet": lambda: _parquet(ordered_at=[1764583200] * 3),
    "parquet/time-in-the-future.parquet": lambda: _parquet(
        ordered_at=[datetime(2025, 12, 1), datetime(2031, 1, 1), datetime(2025, 12, 1)]
    ),
    "parquet/sku-as-bytes.parquet": lambda: _parquet(sku=[b"MUG-1", b"CUP\xff", b"PEN-3"]),
    "parquet/all-null.parquet": _all_null,
    "parquet/column-twice.parquet": _column_twice,
}
