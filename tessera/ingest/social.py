"""SQL that the formats of social networks share: times, counts, and lists as one text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tessera import sql
from tessera.ingest.format import Refusal


def texts(names: str) -> dict[str, Any]:
    """A JSON structure of text members, for names with blanks between.

    >>> texts("id text")
    {'id': 'VARCHAR', 'text': 'VARCHAR'}
    """
    return dict.fromkeys(names.split(), "VARCHAR")


def pick(members: Mapping[str, Any], whole: str) -> str:
    """SQL of a struct with these members of the struct `whole`, or of the columns when empty.

    >>> print(pick({"id": "VARCHAR", "from": "JSON"}, "post.author"))
    {'id': post.author."id", 'from': post.author."from"}
    """
    dot = f"{whole}." if whole else ""
    return struct({name: dot + sql.name(name) for name in members})


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
    there = f"coalesce({', '.join(counts)}) is not null"
    return f"case when {there} then coalesce(({given})::varchar, {written}) end"


def as_text(names: str) -> str:
    """SQL: a list of names as a JSON array; null when it is missing or empty."""
    return f"case when len({names}) > 0 then to_json({names})::varchar end"


def handles_in(text: str) -> str:
    """SQL: the handles that a text names with @, in order; the @ of an address is none."""
    return as_text(rf"regexp_extract_all({text}, '(?:^|[^\w.@/])@(\w[\w.]*\w|\w)', 1)")


def hashtags_in(text: str) -> str:
    """SQL: the hashtags of a text, in order, without #."""
    return as_text(rf"regexp_extract_all({text}, '(?:^|[^\w&/#])#([\p{{L}}\p{{N}}_]+)', 1)")


def items_of(member: str, structure: Mapping[str, Any], itself: str) -> str:
    """SQL of the list of structs that a response gives, null when it gives none.

    The JSON column `member` holds a list or one object; where it is missing, the record is itself
    an item when it fulfils the condition `itself`.
    """
    one = json.dumps(structure)
    return f"""case
        when json_type({member}) = 'ARRAY' then json_transform({member}, '[{one}]')
        when json_type({member}) = 'OBJECT' then [json_transform({member}, '{one}')]
        when {member} is null and {itself} then [{pick(structure, "")}]
    end"""


def struct(values: Mapping[str, str]) -> str:
    """SQL of a struct.

    >>> struct({"id": "1", "text": "null"})
    "{'id': 1, 'text': null}"
    """
    return "{" + ", ".join(f"'{name}': {value}" for name, value in values.items()) + "}"


def with_problems(posts: str, problems: str, members: Iterable[str]) -> str:
    """SQL of a list of posts, and after it one element a different problem of the record.

    Those have no member but `problem`. A response that lacks a hundred posts is then kept once
    in quarantine, not a hundred times. Posts without any member are none.
    """
    nothing = struct({**dict.fromkeys(members, "null"), "problem": "problem"})
    different = f"list_sort(list_distinct({problems}))"
    return f"""list_concat(
        list_filter({posts}, lambda post: post is not null),
        list_transform({different}, lambda problem: {nothing})
    )"""


def refusals(reasons: Mapping[str, str], other: str) -> tuple[Refusal, ...]:
    """A refusal for each problem that an item may have, and one for those without a name."""
    return (
        *(Refusal(f"item.problem = '{name}'", reason) for name, reason in reasons.items()),
        Refusal("item.problem is not null", other),
    )
