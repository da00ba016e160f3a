"""The reference pages, generated from what they are about; a test compares them with the files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tessera import dbt, pages
from tessera.ingest.formats.registry import FORMATS
from tessera.ingest.kinds import KINDS
from tessera.pages import GENERATED, one_line
from tessera.settings import Settings


def write(settings: Settings, folder: Path, outputs: Mapping[str, str]) -> list[Path]:
    """Write every page into `folder`, with the outputs of its tables' queries; return the paths."""
    manifest = dbt.manifest(settings)
    written = {
        "kinds.md": kinds(),
        "formats.md": formats(),
        "features.md": features(manifest),
        **pages.pages(manifest, outputs),
    }
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    for page in (folder / "tables").glob("*.md"):
        if f"tables/{page.name}" not in written:
            page.unlink()
    return [folder / name for name in written]


def kinds() -> str:
    """Markdown: the kinds of export and their columns."""
    parts = [
        f"{GENERATED}# Kinds of export\n\n"
        "What a source in `settings.toml` may deliver. A row without a required column, or with a "
        "value that is not of the column's type, goes to quarantine. `decimal` is DECIMAL(18,4).\n"
    ]
    for name, kind in KINDS.items():
        dated = f" Dated by `{kind.event_at}`." if kind.event_at else ""
        if kind.one_of:
            dated += f" One of {', '.join(f'`{c}`' for c in kind.one_of)} is needed."
        rows = [
            f"| `{column}` | {spec.type} | {'yes' if spec.required else ''} |"
            for column, spec in kind.columns.items()
        ]
        parts.append(
            f"\n## {name}\n\nLoaded by `load_{kind.group}` into `raw.{name}`.{dated}\n\n"
            "| column | type | required |\n|---|---|---|\n" + "\n".join(rows) + "\n"
        )
    return "".join(parts)


def formats() -> str:
    """Markdown: the vendors' formats, each with a settings example."""
    parts = [
        f"{GENERATED}# Formats\n\n"
        "Exports that are known by name: `format` says which, and no columns need to be mapped. "
        "Anything else goes by a mapping of your own "
        "([your own exports](../how-to/your-own-exports.md)).\n"
    ]
    for name, format_ in sorted(FORMATS.items()):
        given = ", ".join(f"[{kind}](kinds.md#{kind})" for kind in format_.kinds)
        parts.append(
            f"\n## {name}\n\n{format_.title}. Gives: {given}.\n\n{format_.description.strip()}\n\n"
            f"```toml\n{format_.example.strip()}\n```\n"
        )
    return "".join(parts)


def features(manifest: dict[str, Any]) -> str:
    """Markdown: the feature catalogue, a section a group; `features.feature_catalogue` as text."""
    columns = manifest["nodes"]["model.tessera.customer_features"]["columns"].values()
    groups = dict.fromkeys(column["config"]["meta"]["group"] for column in columns)
    parts = [
        f"{GENERATED}# Features\n\nThe columns of `features.customer_features`. How to read them: "
        "[features](../how-to/features.md).\n"
    ]
    for group in groups:
        rows = [_feature(c) for c in columns if c["config"]["meta"]["group"] == group]
        parts.append(
            f"\n## {group}\n\n| feature | unit | from | null when | treated as | meaning |\n"
            "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
        )
    return "".join(parts)


def _feature(column: dict[str, Any]) -> str:
    meta = column["config"]["meta"]
    told = (meta["unit"], meta["source"], meta["null_means"], meta["treatment"])
    half_life = f" Half-life: `features.{meta['half_life']}`." if "half_life" in meta else ""
    cells = [f"`{column['name']}`", *told, column["description"].strip() + half_life]
    return f"| {' | '.join(one_line(cell) for cell in cells)} |"
