"""Why tables do not reach their readers."""

from __future__ import annotations


class NotServed(RuntimeError):
    """The server has the tables of an earlier run, or none; the message says what to do."""
