"""Every format that is known by name: one module of this package each."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tessera.ingest import formats
from tessera.ingest.format import Format

FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        import_module(f"{formats.__name__}.{module.name}").FORMAT
        for module in iter_modules(formats.__path__)
        if module.name != "registry"
    )
}
