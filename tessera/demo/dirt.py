"""Dirt: everything that is wrong with real exports, planted on purpose and counted.

A `Spoil` changes one column of a few rows while they are written; the other functions repeat rows,
move them to a later file, or damage finished files. Each planted row is noted in the `Notes`,
which become part of the truth.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tessera.demo.columns import Columns, concat, rows, take
from tessera.demo.season import DAY, Window


@dataclass(frozen=True)
class Spoil:
    """Replace `column` by the SQL `value` (which may use the export's columns) in some rows."""

    kind: str
    column: str
    value: str
    share: float
    text_only: bool = True  # Parquet cannot hold it


def _offset(column: str) -> str:
    return f"strftime({column} + INTERVAL 2 HOUR, '%Y-%m-%dT%H:%M:%S+02:00')"


SPOILS: dict[str, tuple[Spoil, ...]] = {
    "contacts": (
        Spoil("typo_in_name", "last_name",
              "left(last_name, 2) || substr(last_name, 4, 1) || substr(last_name, 3, 1) "
              "|| substr(last_name, 5)", 0.005, False),
        Spoil("typo_in_email", "email", "replace(email, 'il.', 'li.')", 0.002, False),
        Spoil("broken_email", "email", "replace(email, '@', '')", 0.001, False),
        Spoil("shouted_email", "email", "upper(email)", 0.002, False),
        Spoil("missing_email", "email", "NULL", 0.004, False),
        Spoil("broken_date", "birth_date", "'31.02.1980'", 0.001),
    ),
    "orders": (
        Spoil("other_time_zone", "created_at", _offset("created_at"), 0.006),
        Spoil("text_in_amount", "total_amount", "'EUR ' || total_amount", 0.0005),
        Spoil("broken_date", "created_at", "'2025-13-45T00:00:00Z'", 0.0003),
        Spoil("missing_email", "email", "NULL", 0.002, False),
    ),
    "order_lines": (
        Spoil("text_in_quantity", "quantity", "'n/a'", 0.0005),
        Spoil("missing_sku", "sku", "NULL", 0.0003, False),
    ),
    "refunds": (Spoil("text_in_amount", "amount", "'pending'", 0.002),),
    "web_events": (
        Spoil("other_time_zone", "timestamp", _offset("timestamp"), 0.004),
        Spoil("broken_json", "line", "left(line, 90)", 0.00005),
        Spoil("broken_date", "timestamp", "'Invalid Date'", 0.0001),
    ),
    "app_events": (Spoil("text_in_duration", "duration_seconds", "'null'", 0.001),),
    "posts": (
        Spoil("broken_json", "line", "left(line, 70)", 0.0005),
        Spoil("missing_text", "text", "NULL", 0.001, False),
    ),
    "tickets": (
        Spoil("text_in_score", "satisfaction", "'n/a'", 0.003),
        Spoil("broken_date", "opened_at", "'0000-00-00 00:00:00'", 0.002),
    ),
    "campaign_events": (Spoil("broken_date", "occurred_at", "''", 0.0005),),
}  # fmt: skip

# Share of the rows that an export holds twice.
REPEATED = {"orders": 0.001, "order_lines": 0.0008, "web_events": 0.001, "contacts": 0.008}
_LATE = {"orders": 0.25, "web_events": 0.05}  # of the rows of a month's last days
_LATE_DAYS = 4
_RESENT = ("orders", "order_lines", "campaign_events")
_WIDENED = ("order_lines", "app_events")
_WIDE_LINES = 3


@dataclass
class Notes:
    """What was planted: kind, export, the keys of the rows or the files, number of rows."""

    kind: list[str] = field(default_factory=list)
    export: list[str] = field(default_factory=list)
    key: list[str | None] = field(default_factory=list)
    file: list[str | None] = field(default_factory=list)

    def add_rows(self, kind: str, export: str, keys: list[str]) -> None:
        """Note one planted row per key."""
        self.kind += [kind] * len(keys)
        self.export += [export] * len(keys)
        self.key += keys
        self.file += [None] * len(keys)

    def add_file(self, kind: str, export: str, file: str, keys: list[str] | None = None) -> None:
        """Note a planted file, or planted lines in it."""
        found: list[str | None] = [*keys] if keys else [None]
        self.kind += [kind] * len(found)
        self.export += [export] * len(found)
        self.key += found
        self.file += [file] * len(found)


Keys = Callable[[Columns], list[str]]


def _few(rng: np.random.Generator, share: float, count: int) -> np.ndarray:
    """Choose a share of the rows, but at least one once there are a hundred."""
    wanted = max(round(share * count), int(count >= 100))
    return rng.choice(count, wanted, replace=False, shuffle=False)


def spoil(rng: np.random.Generator, export: str, columns: Columns, text: bool) -> Columns:
    """Mark rows to be spoiled: column `dirt` holds 1 + the position in SPOILS, 0 for clean."""
    count = rows(columns)
    marks = np.zeros(count, dtype=np.int8)
    for position, kind in enumerate(SPOILS.get(export, ())):
        if (text or not kind.text_only) and count:
            marks[_few(rng, kind.share, count)] = position + 1
    return columns | {"dirt": marks}


def note_spoiled(notes: Notes, export: str, columns: Columns, keys: Keys) -> None:
    """Note the marked rows."""
    for position, kind in enumerate(SPOILS.get(export, ())):
        found = np.flatnonzero(columns["dirt"] == position + 1)
        if len(found):
            notes.add_rows(kind.kind, export, keys(take(columns, found)))


def repeat(
    rng: np.random.Generator, export: str, columns: Columns, notes: Notes, keys: Keys
) -> Columns:
    """Let a few clean rows occur twice; contacts come back as an older version of themselves."""
    share = REPEATED.get(export)
    if share is None or not rows(columns):
        return columns
    chosen = np.sort(_few(rng, share, rows(columns)))
    again = take(columns, chosen[columns["dirt"][chosen] == 0])
    if not rows(again):
        return columns
    if export == "contacts":
        older = again["created_at"] + (again["updated_at"] - again["created_at"]) // 2
        again |= {"updated_at": older, "phone": np.full_like(again["phone"], -1)}
    notes.add_rows("duplicate", export, keys(again))
    return concat([columns, again])


def delay(
    rng: np.random.Generator,
    window: Window,
    export: str,
    columns: Columns,
    notes: Notes,
    keys: Keys,
) -> Columns:
    """Move some rows of the last days of one month in the middle to the next month's file."""
    share = _LATE.get(export)
    late_month = len(window.months) // 2 - 1
    if share is None or late_month < 0:
        return columns
    at = columns["at_ms"] // 1000 if "at_ms" in columns else columns["at"]
    closing = int(window.month_starts[late_month + 1]) - _LATE_DAYS * DAY
    late = (columns["month"] == late_month) & (at >= closing) & (rng.random(len(at)) < share)
    if late.any():
        notes.add_rows("late", export, keys(take(columns, late)))
    return columns | {"month": np.where(late, late_month + 1, columns["month"]).astype(np.int16)}


def resend(out: Path, files: dict[str, list[Path]], notes: Notes) -> None:
    """Copy one file of some exports under another name, byte for byte."""
    for export in _RESENT:
        if len(files.get(export, [])) < 2:
            continue
        original = sorted(files[export])[len(files[export]) // 3]
        name, dot, endings = original.name.partition(".")
        copy = original.with_name(f"{name}-resent{dot}{endings}")
        shutil.copyfile(original, copy)
        notes.add_file("resent", export, copy.relative_to(out).as_posix())


def widen(rng: np.random.Generator, out: Path, files: dict[str, list[Path]], notes: Notes) -> None:
    """Append superfluous columns to a few lines of one CSV file of some exports."""
    for export in _WIDENED:
        for path in sorted(files.get(export, []))[-2:-1]:
            lines = path.read_bytes().split(b"\n")
            last = len(lines) - 2  # the file ends with a newline
            if last < 10 * _WIDE_LINES:
                continue
            chosen = np.sort(rng.choice(np.arange(1, last), _WIDE_LINES, replace=False))
            for position in chosen:
                lines[position] += b",,?"
            path.write_bytes(b"\n".join(lines))
            keys = [lines[i].split(b",")[0].decode() for i in chosen]
            notes.add_file("too_many_columns", export, path.relative_to(out).as_posix(), keys)
