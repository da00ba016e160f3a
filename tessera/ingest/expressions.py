"""SQL expressions that several formats need.

Each leaves what it cannot read as it was written, so that a check of the kind reports it.
"""

from __future__ import annotations

from tessera import sql

_HAS_OFFSET = r"'\d:\d\d.*(Z|UTC|[+-]\d\d(:?\d\d)?)$'"
# DuckDB reads no offset that stands apart or lacks its colon and then drops it in silence.
_TIGHT_OFFSET = r"regexp_replace({0}, '\s*([+-]\d\d):?(\d\d)$', '\1:\2')"


def first(*columns: str) -> str:
    """The first of the columns that holds more than blanks.

    >>> print(first("Email"))
    nullif(trim("Email"), '')
    """
    texts = [f"nullif(trim({sql.name(column)}), '')" for column in columns]
    return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"


def to_utc(time: str) -> str:
    """ISO text in UTC of a time that says its offset; a time without one stays as it is."""
    moment = f"timezone('UTC', try_cast({_TIGHT_OFFSET.format(time)} as timestamptz))"
    return (
        f"case when regexp_matches({time}, {_HAS_OFFSET}) then {_iso(moment, time)} else {time} end"
    )


def in_utc(time: str) -> str:
    """ISO text of a time that its column declares to be in UTC."""
    return (
        f"case when regexp_matches({time}, {_HAS_OFFSET}) then {to_utc(time)} "
        f"else {_iso(f'try_cast({time} as timestamp)', time)} end"
    )


def _iso(moment: str, written: str) -> str:
    return f"coalesce(replace(({moment})::varchar, ' ', 'T') || 'Z', {written})"
