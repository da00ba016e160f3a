"""Quoting for SQL that is put together from settings: names and texts of strangers."""

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
