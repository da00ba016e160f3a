"""Which tables have a chart: every module of this package that says so in `SHOWN`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import tessera.charts
from tessera.charts.shown import Shown


def shown() -> dict[str, Shown]:
    """Table name → what its page shows. Raises ValueError when two modules claim one table."""
    found: dict[str, Shown] = {}
    for module in sorted(iter_modules(tessera.charts.__path__), key=lambda m: m.name):
        claimed = getattr(import_module(f"tessera.charts.{module.name}"), "SHOWN", {})
        twice = found.keys() & claimed.keys()
        if twice:
            raise ValueError(f"tessera/charts/{module.name}.py: {', '.join(twice)} is drawn twice")
        found |= claimed
    return found
