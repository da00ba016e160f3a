"""Gives dbt's connections the function `pseudonym`; profiles.yml names this module.

The key comes by the environment of this process and goes to the connection as a bound value:
neither dbt's files nor its log ever see it.
"""

from __future__ import annotations

import os
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

from tessera.privacy.key import VARIABLE, KeyRefused
from tessera.privacy.pseudonym import define_function


class Plugin(BasePlugin):
    """A plugin of dbt-duckdb. Raises KeyRefused when the environment has no key."""

    def configure_cursor(self, cursor: Any) -> None:
        """Define the function on each cursor: temporary macros belong to one."""
        key = os.environ.get(VARIABLE)
        if not key:
            raise KeyRefused(f"{VARIABLE} is not set: `tessera run` and make hand it to dbt")
        define_function(cursor, key)
