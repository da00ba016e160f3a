"""From where an API is asked for what is new: the greatest value seen, less a look back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any


def greatest(values: Iterable[Any]) -> str:
    """The greatest of numbers, times or words, as it was written; "" without any.

    >>> greatest(["999", "1440717170493689866", None])
    '1440717170493689866'
    >>> greatest(["2026-01-01T09:00:00+0100", "2026-01-01T08:30:00Z"])
    '2026-01-01T08:30:00Z'
    """
    written = [str(value) for value in values if value not in (None, "")]
    for read in (_number, _moment):
        read_values = [read(value) for value in written]
        if None not in read_values:
            return max(zip(read_values, written, strict=True), default=(None, ""))[1]
    return max(written)


def looked_back(value: str, lookback: int) -> str:
    """The value `lookback` seconds earlier, of a number so many units less.

    Raises ValueError when it is neither a number nor an ISO 8601 time.

    >>> looked_back("2026-01-01T00:00:30Z", 60)
    '2025-12-31T23:59:30+00:00'
    """
    if not lookback:
        return value
    number, time = _number(value), _time(value)
    if number is not None:
        return str(number - lookback)
    if time is not None:
        return (time - timedelta(seconds=lookback)).isoformat()
    raise ValueError(f"`lookback` needs a number or a time, and '{value}' is neither")


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    time = _time(text)
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
