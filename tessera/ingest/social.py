"""SQL that the formats of social networks share: times, counts, and lists as one text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def texts(names: str) -> dict[str, Any]:
    """A JSON structure of text members, for names with blanks between.

    >>> texts("id text")
    {'id': 'VARCHAR', 'text': 'VARCHAR'}
    """
    return dict.fromkeys(names.split(), "VARCHAR")


def pick(members: Mapping[str, Any], whole: str) -> str:
    """SQL of a struct with these members of the struct `whole`, or of the columns when empty.

    >>> pick({"id": "VARCHAR"}, "post.author")
    "{'id': post.author.id}"
    """
    dot = f"{whole}." if whole else ""
    return "{" + ", ".join(f"'{name}': {dot}{name}" for name in members) + "}"


def moment(time: str) -> str:
    """SQL: ISO text in UTC of a time with its offset or in epoch seconds; else as it was written.

    Both ways of writing name a moment, so no time zone needs to be known.
    """
    is_epoch = f"regexp_full_match({time}, '[0-9]{{9,10}}')"
    seconds = f"case when {is_epoch} then to_timestamp(try_cast({time} as bigint)) end"
    instant = f"timezone('UTC', coalesce({seconds}, try_cast({time} as timestamptz)))"
    return f"coalesce(replace(({instant})::varchar, ' ', 'T') || 'Z', {time})"


def later(time: str, than: str) -> str:
    """SQL: `time` when it is another one than `than`: a thing that was never edited has none."""
    return f"nullif({time}, {than})"


def total(*counts: str) -> str:
    """SQL: the sum of counts that are text, without those that are missing; null when all are.

    What is no number is kept beside the others, so that the check reports it.
    """
    given = " + ".join(f"try_cast(coalesce({count}, '0') as bigint)" for count in counts)
    written = f"concat_ws(' + ', {', '.join(counts)})"
    return f"coalesce(({given})::varchar, {written}, '')"


def as_text(names: str) -> str:
    """SQL: a list of names as a JSON array; null when it is missing or empty."""
    return f"case when len({names}) > 0 then to_json({names})::varchar end"


def handles_in(text: str) -> str:
    """SQL: the handles that a text names with @, in order; the @ of an address is none."""
    return as_text(rf"regexp_extract_all({text}, '(?:^|[^\w.@/])@(\w[\w.]*\w|\w)', 1)")


def hashtags_in(text: str) -> str:
    """SQL: the hashtags of a text, in order, without #."""
    return as_text(rf"regexp_extract_all({text}, '(?:^|[^\w&/#])#([\p{{L}}\p{{N}}_]+)', 1)")
