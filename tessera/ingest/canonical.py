"""What the settings say of an export's spelling, as SQL: numbers and times in one way of writing.

A value that is not written as declared stays as it is; the checks then report it.
"""

from __future__ import annotations

from tessera import sql
from tessera.ingest.kinds import Kind
from tessera.ingest.source import Source

EPOCH_UNITS = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000, "epoch_microseconds": 1}
NO_SUCH_TIME = " does not exist"
SPACES = r"[ \x{00A0}\x{202F}\x{2009}]"


def canonical(kind: Kind, source: Source, name: str, expression: str) -> str:
    """SQL of one column of a kind as text, spelled in Tessera's way."""
    column = kind.columns[name]
    text = f"cast({expression} as varchar)"
    if column.type in ("decimal", "double", "bigint"):
        return _number(source, text)
    if column.type == "timestamp":
        return _time(source, text)
    if column.type == "date" and source.date_format != "iso":
        return _parsed(text, source.date_format, "date")
    return text


def _number(source: Source, text: str) -> str:
    if source.decimal == "." and not source.thousands:
        return text
    point = rf"\{source.decimal}"
    group = {"": "", " ": SPACES}.get(source.thousands, f"[{source.thousands}]")
    whole = rf"(\d+|\d{{1,3}}({group}\d{{3}})+)" if group else r"\d+"
    written = sql.text(rf"^\s*[+-]?{whole}({point}\d*)?\s*$")
    plain = f"regexp_replace({text}, {sql.text(group)}, '', 'g')" if group else text
    return (
        f"case when regexp_matches({text}, {written}) "
        f"then replace({plain}, {sql.text(source.decimal)}, '.') "
        # A number with the other mark would pass for a thousand times its value.
        f"when {text} is not null and trim({text}) <> '' then {text} || ' (as written)' "
        f"else {text} end"
    )


def _time(source: Source, text: str) -> str:
    if source.time_format in EPOCH_UNITS:
        factor = EPOCH_UNITS[source.time_format]
        microseconds = f"cast(try_cast({text} as decimal(30, 6)) * {factor} as bigint)"
        return f"coalesce(try(make_timestamp({microseconds}))::varchar, {text})"
    if source.time_format != "iso":
        text = _parsed(text, source.time_format, "timestamp")
    else:
        # `2024-05-01 10:00:00 -0400`: the blank would make DuckDB drop the offset in silence.
        text = rf"""case when {text} like '% +%' or {text} like '% -%'
            then regexp_replace({text}, ' ([+-]\d\d:?\d\d)$', '\1') else {text} end"""
    return text if source.timezone == "UTC" else _to_utc(text, sql.text(source.timezone))


def _parsed(text: str, pattern: str, type_: str) -> str:
    parsed = f"try_strptime({text}, {sql.text(pattern)})"
    if "%z" in pattern or "%Z" in pattern:
        return f"coalesce(timezone('UTC', {parsed}::timestamptz)::varchar || 'Z', {text})"
    return f"coalesce(cast({parsed} as {type_})::varchar, {text})"


def _to_utc(text: str, zone: str) -> str:
    """Local time to UTC; a time that the clocks jumped over stays, marked as one that is none."""
    local = f"try_cast({text} as timestamp)"
    # A cast to a time drops what follows the time in silence: an offset, `CET`, `MEZ`, any word.
    is_local = rf"regexp_matches({text}, '^\s*\d+-\d+-\d+([T ]+\d+:\d+(:\d+(\.\d+)?)?)?\s*$')"
    instant = f"timezone({zone}, {local})"
    return (
        f"case when {local} is null or not {is_local} then {text} "
        f"when timezone({zone}, {instant}) <> {local} then {text} || {sql.text(NO_SUCH_TIME)} "
        f"else timezone('UTC', {instant})::varchar end"
    )
