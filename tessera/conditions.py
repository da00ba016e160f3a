"""Conditions over customers, in the words of a table's columns, compiled to SQL.

    percentile(monetary) >= 0.8 and lifecycle_stage in ('slipping', 'dormant')

sqlglot parses the text. What is understood is listed here, node by node, and anything else is
refused: the SQL is put together from the understood nodes, and no part of the text is passed on.
Unknown values make a condition unknown, as in SQL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from tessera import sql

if TYPE_CHECKING:
    from sqlglot import exp

Kind = Literal["number", "text", "boolean", "date"]
LONGEST = 2000
PERCENTILE = "percentile"
SAY = "say column names, numbers, 'texts', and, or, not, in, between, is null, = <> < <= > >=, "
SAY += "+ - * / and percentile(column)"
COMPARISONS = {"EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
ARITHMETIC = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
JUNCTIONS = {"And": "and", "Or": "or"}
# The parts of a node that are read; a node with any other part says something else.
PARTS = {
    **{name: {"this", "expression"} for name in (*COMPARISONS, *ARITHMETIC, *JUNCTIONS, "Is")},
    "Not": {"this"}, "Neg": {"this"}, "Paren": {"this"}, "Column": {"this"},
    "In": {"this", "expressions"}, "Between": {"this", "low", "high"}, "Boolean": {"this"},
    "Anonymous": {"this", "expressions"}, "Literal": {"this", "is_string"}, "Null": set(),
}  # fmt: skip


class ConditionRefused(ValueError):
    """A condition cannot be understood; the message says what and what to write instead."""


class UnknownColumn(ConditionRefused):
    """A condition names a column that there is not; `name` is what it says."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown column {name!r}")
        self.name = name


@dataclass(frozen=True)
class Compiled:
    """SQL of an expression and what it is."""

    sql: str
    kind: Kind


def check(text: str) -> str:
    """Return the text when it is a condition, whatever the columns. Raises ConditionRefused."""
    for node in _parse(text).walk():
        _check_parts(node)
    return text


def named(text: str) -> set[str]:
    """The columns that a condition names, in lower case. Raises ConditionRefused."""
    return {node.name.lower() for node in _parse(text).walk() if type(node).__name__ == "Column"}


def compile_condition(text: str, columns: Mapping[str, str]) -> str:
    """The SQL of a condition over a table whose columns have these SQL types.

    For a select list (percentiles are window functions over the rows of the query). Raises
    ConditionRefused, and UnknownColumn for a name that is not in `columns`.

    >>> compile_condition("frequency >= 3", {"frequency": "bigint"})
    '(cast("frequency" as double) >= 3.0)'
    """
    compiled = _compile(_parse(text), columns)
    if compiled.kind != "boolean":
        raise ConditionRefused(f"is a {compiled.kind}, not a condition: compare it with something")
    return compiled.sql


def _parse(text: str) -> exp.Expr:
    import sqlglot
    from sqlglot.errors import SqlglotError

    if len(text) > LONGEST:
        raise ConditionRefused(f"has {len(text)} characters; at most {LONGEST} are read")
    try:
        if any(token.comments for token in sqlglot.tokenize(text, read="duckdb")):
            raise ConditionRefused("has a comment in it; take it out")
        found = sqlglot.parse(text, read="duckdb")
    except (SqlglotError, RecursionError) as error:
        told = re.sub(r"\x1b\[\d+m", "", str(error)).split("\n")[0].rstrip(". ")
        raise ConditionRefused(f"cannot be read: {told}; {SAY}") from None
    if len(found) != 1 or found[0] is None:
        raise ConditionRefused(f"is not one condition; {SAY}")
    return found[0]


def _check_parts(node: exp.Expr) -> str:
    """The name of a node that is on the list and says nothing beside what is read."""
    name = type(node).__name__
    if name == "Identifier":
        return name
    said = {part for part, value in node.args.items() if value not in (None, False, [])}
    if name not in PARTS or not said <= PARTS[name]:
        if name == "Column" and not isinstance(node.this, str):
            raise ConditionRefused(f"{node.sql()!r}: name columns alone, without their table")
        raise ConditionRefused(f"{node.sql()[:60]!r} is not understood; {SAY}")
    return name


def _compile(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    return _HANDLERS[_group(_check_parts(node))](node, columns)


def _group(name: str) -> str:
    for group, members in _GROUPS.items():
        if name in members:
            return group
    return name


def _junction(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    sides = [_of_kind(_compile(side, columns), "boolean") for side in (node.this, node.expression)]
    return Compiled(f"({f' {JUNCTIONS[type(node).__name__]} '.join(sides)})", "boolean")


def _not(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    return Compiled(f"(not {_of_kind(_compile(node.this, columns), 'boolean')})", "boolean")


def _paren(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    return _compile(node.this, columns)


def _comparison(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    left, right = _alike([_compile(side, columns) for side in (node.this, node.expression)])
    name = type(node).__name__
    if left.kind == "boolean" and name not in ("EQ", "NEQ"):
        raise ConditionRefused(f"{node.sql()!r}: yes and no have no order")
    return Compiled(f"({left.sql} {COMPARISONS[name]} {right.sql})", "boolean")


def _arithmetic(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    left, right = (
        _of_kind(_compile(side, columns), "number") for side in (node.this, node.expression)
    )
    name = type(node).__name__
    if name == "Div":
        right = f"nullif({right}, 0)"
    return Compiled(f"({left} {ARITHMETIC[name]} {right})", "number")


def _negative(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    return Compiled(f"(- {_of_kind(_compile(node.this, columns), 'number')})", "number")


def _in(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    first, *others = _alike([_compile(n, columns) for n in (node.this, *node.expressions)])
    listed = ", ".join(other.sql for other in others)
    return Compiled(f"({first.sql} in ({listed}))", "boolean")


def _between(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    parts = (node.this, node.args["low"], node.args["high"])
    value, low, high = _alike([_compile(part, columns) for part in parts])
    if value.kind == "boolean":
        raise ConditionRefused(f"{node.sql()!r}: yes and no have no order")
    return Compiled(f"({value.sql} between {low.sql} and {high.sql})", "boolean")


def _is(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    value, what = _compile(node.this, columns), node.expression
    name = _check_parts(what)
    if name == "Null":
        return Compiled(f"({value.sql} is null)", "boolean")
    if name == "Boolean":
        _of_kind(value, "boolean")
        return Compiled(f"({value.sql} is {'true' if what.this else 'false'})", "boolean")
    raise ConditionRefused(f"{node.sql()!r}: say is null, is not null, is true or is false")


def _null(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    raise ConditionRefused("nothing equals null: say is null or is not null")


def _boolean(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    return Compiled("true" if node.this else "false", "boolean")


def _literal(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    if node.args.get("is_string"):
        if not node.this.isprintable():
            raise ConditionRefused(f"{node.this!r} has characters that cannot be printed")
        return Compiled(sql.text(node.this), "text")
    number = float(node.this)
    if not math.isfinite(number):
        raise ConditionRefused(f"{node.this} is too large a number")
    return Compiled(repr(number), "number")


def _column(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    name = node.name.lower() if node.name.lower() in columns else node.name
    if name not in columns:
        raise UnknownColumn(name)
    kind = kind_of(columns[name])
    quoted = sql.name(name)
    return Compiled(f"cast({quoted} as double)" if kind == "number" else quoted, kind)


def _percentile(node: exp.Expr, columns: Mapping[str, str]) -> Compiled:
    name = str(node.this)
    if name.lower() != PERCENTILE or [type(n).__name__ for n in node.expressions] != ["Column"]:
        raise ConditionRefused(
            f"{node.sql()[:60]!r}: the one function is percentile(column), the share of customers "
            "below hers"
        )
    value = _of_kind(_compile(node.expressions[0], columns), "number")
    known = f"({value} is null)"
    share = (
        f"cast(rank() over (partition by {known} order by {value}) - 1 as double) "
        f"/ count(*) over (partition by {known})"
    )
    return Compiled(f"(case when {value} is not null then {share} end)", "number")


def kind_of(sql_type: str) -> Kind:
    """What a column of an SQL type holds: anything that is not listed counts as text."""
    name = re.split(r"[ (]", sql_type.lower())[0]
    if name in ("tinyint", "smallint", "integer", "bigint", "hugeint", "double", "float", "real"):
        return "number"
    if name in ("decimal", "numeric"):
        return "number"
    if name in ("date", "timestamp"):
        return "date"
    return "boolean" if name == "boolean" else "text"


def _of_kind(compiled: Compiled, kind: Kind) -> str:
    if compiled.kind != kind:
        raise ConditionRefused(f"{compiled.sql} is a {compiled.kind} where a {kind} is needed")
    return compiled.sql


def _alike(parts: Iterable[Compiled]) -> list[Compiled]:
    """Parts of one kind; texts beside a date are read as dates."""
    listed = list(parts)
    if any(part.kind == "date" for part in listed):
        listed = [_as_date(part) if part.kind == "text" else part for part in listed]
    if len({part.kind for part in listed}) > 1:
        told = " with ".join(f"{part.sql} (a {part.kind})" for part in listed[:2])
        raise ConditionRefused(f"compares {told}")
    return listed


def _as_date(part: Compiled) -> Compiled:
    try:
        day = date.fromisoformat(part.sql.strip("'"))
    except ValueError:
        raise ConditionRefused(f"{part.sql} is no date: say '2026-01-31'") from None
    return Compiled(f"cast('{day.isoformat()}' as date)", "date")


_GROUPS = {"comparison": COMPARISONS, "arithmetic": ARITHMETIC, "junction": JUNCTIONS}
_Handler = Callable[["exp.Expr", Mapping[str, str]], Compiled]
_HANDLERS: dict[str, _Handler] = {
    "comparison": _comparison,
    "arithmetic": _arithmetic,
    "junction": _junction,
    "Not": _not,
    "Neg": _negative,
    "Paren": _paren,
    "In": _in,
    "Between": _between,
    "Is": _is,
    "Null": _null,
    "Boolean": _boolean,
    "Literal": _literal,
    "Column": _column,
    "Anonymous": _percentile,
}
