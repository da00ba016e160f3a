"""Quoting for SQL that is put together from names and values: the one place that does it."""

from __future__ import annotations

from collections.abc import Iterable


def name(identifier: str) -> str:
    """Quote an identifier.

    >>> name('un"it price')
    '"un""it price"'
    """
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """Quote a string literal.

    >>> text("O'Brien")
    "'O''Brien'"
    """
    return "'" + value.replace("'", "''") + "'"


def texts(values: Iterable[str]) -> str:
    """Quote a list of string literals.

    >>> texts(["a", "b"])
    "['a', 'b']"
    """
    return "[" + ", ".join(text(value) for value in values) + "]"


def no_glob(path: str) -> str:
    """A path that DuckDB takes as it is: what would be a glob is put in brackets.

    >>> no_glob("orders[1].csv")
    'orders[[]1].csv'
    """
    return "".join(f"[{character}]" if character in "*?[" else character for character in path)
