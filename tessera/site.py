"""`make docs`: the docs and the tables of the last run as a site that opens from disk.

Zensical turns Markdown into pages (docs/decisions/docs-site.md); the dbt docs, Data Docs and the
quality page lie beside them. Nothing is loaded from the network.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tessera import contract, dbt, operators, pages, runs
from tessera.settings import Settings
from tessera.warehouse import open_published

PROJECT = Path(__file__).resolve().parents[1]
# What other tools made, by folder of the artifacts: shown only when it is there.
MADE = {
    "quality": ("quality/index.html", "Data quality, in plain words"),
    "data_docs": ("quality/index.html#data-docs", ""),
    "identity": ("identity/index.html", "What speaks for one customer: weights of agreements"),
    "dbt": ("dbt/index.html", "How each table is made (dbt docs)"),
}
SECTIONS = {
    "How to": "how-to",
    "Reference": "reference",
    "Runbooks": "runbooks",
    "Decisions": "decisions",
}
THEME = """
[project.theme]
font = false
features = ["navigation.tabs", "navigation.top", "navigation.path", "content.code.copy"]

[[project.theme.palette]]
media = "(prefers-color-scheme: light)"
scheme = "default"

[[project.theme.palette]]
media = "(prefers-color-scheme: dark)"
scheme = "slate"

[project.plugins.search]
[project.plugins.offline]
"""

SHIM = "https://unpkg.com/iframe-worker/shim"
LOGO = re.compile(r'(<a href=")[./]*("[^>]*md-logo)')


class SiteFailed(RuntimeError):
    """The site could not be built; the message has what the generator said."""


def build(settings: Settings, out: Path) -> Path:
    """Build the site of the last run into `out`; return its first page.

    Raises NothingLoaded before the first run, and SiteFailed.
    """
    with runs.open_run_warehouse(settings) as connection:
        as_of = runs.newest_day(connection)
        operators.draw_weights(connection, settings.artifacts_dir)
    static_docs = dbt.docs(settings, as_of)
    sources = settings.artifacts_dir / "docs"
    manifest = json.loads(static_docs.with_name("manifest.json").read_text(encoding="utf-8"))
    _copy_docs(sources)
    _write_tables(settings, manifest, sources)
    _write_home(settings, sources, as_of)
    _generate(settings.company, sources, out)
    _gather(settings.artifacts_dir, static_docs, out)
    return out / "index.html"


def _copy_docs(sources: Path) -> None:
    """The docs folder, and what stands beside it: README, how to contribute, examples."""
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(PROJECT / "docs", sources)
    shutil.copytree(PROJECT / "examples", sources / "examples")
    for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md"):
        page = "tessera.md" if name == "README.md" else name
        text = (PROJECT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        text = text.replace("](runbooks)", "](runbooks/build_customer_360.md)")
        (sources / page).write_text(text, encoding="utf-8")


def _write_tables(settings: Settings, manifest: Mapping[str, Any], sources: Path) -> None:
    """The tables' pages anew, with charts and output of the last run instead of the demo's."""
    outputs = draw(settings, manifest, sources)
    of = f"Query and chart show {settings.company}, as it was last published."
    (sources / "reference" / "tables").mkdir(exist_ok=True)
    for name, text in pages.pages(manifest, outputs, of).items():
        (sources / "reference" / name).write_text(text, encoding="utf-8")


def draw(settings: Settings, manifest: Mapping[str, Any], docs: Path) -> dict[str, str]:
    """Draw the tables' charts into a docs folder, in place of those there.

    Return the outputs of the tables' queries, by table.
    """
    shutil.rmtree(docs / pages.PICTURES, ignore_errors=True)
    with _public_connections(settings) as connections:
        return pages.show(manifest, connections, docs / pages.PICTURES)


@contextmanager
def _public_connections(settings: Settings) -> Iterator[dict[str, duckdb.DuckDBPyConnection]]:
    """Who sees which public schema: the warehouse, and for `segments` the published file."""
    published = settings.published_dir / "segments.duckdb"
    with ExitStack() as opened:
        warehouse = opened.enter_context(runs.open_run_warehouse(settings))
        found = dict.fromkeys(contract.PUBLIC, warehouse)
        if published.exists():
            found["segments"] = opened.enter_context(open_published(published))
        yield found


def _write_home(settings: Settings, sources: Path, as_of: date) -> None:
    links = [
        f'- <a href="{page}">{title}</a>'
        for folder, (page, title) in MADE.items()
        if title and (folder == "dbt" or (settings.artifacts_dir / folder).is_dir())
    ]
    charts = [
        f"[![{name}]({pages.PICTURES}/{name}.svg)](reference/tables/{name}.md)"
        for name in ("segment_profiles", "customer_segments")
        if (sources / pages.PICTURES / f"{name}.svg").exists()
    ]
    text = [
        "---\nhide: [navigation, toc]\n---",
        f"# {settings.company}",
        f"Data up to {as_of}. Every table with its chart: [tables](reference/tables.md).",
        *charts,
        "\n".join(links),
    ]
    (sources / "index.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")


def _generate(company: str, sources: Path, out: Path) -> None:
    built = sources.parent / "site"
    config = sources.parent / "zensical.toml"
    config.write_text(_config(company, sources, built), encoding="utf-8")
    shutil.rmtree(built, ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--config-file", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not (built / "index.html").exists():
        raise SiteFailed(f"zensical: {(done.stdout + done.stderr).strip()[-2000:]}")
    _mend_for_disk(built)
    shutil.rmtree(out, ignore_errors=True)
    shutil.move(built, out)


def _config(company: str, sources: Path, built: Path) -> str:
    """zensical.toml; its strings are JSON's, which TOML reads as they are."""
    told = {
        "site_name": company,
        "docs_dir": sources.name,
        "site_dir": built.name,
        "use_directory_urls": False,
        "extra_css": ["assets/site.css"],
        "nav": _navigation(sources),
    }
    lines = [f"{key} = {_toml(value)}" for key, value in told.items()]
    return "[project]\n" + "\n".join(lines) + "\n" + THEME


def _navigation(sources: Path) -> list[dict[str, object]]:
    def in_folder(folder: str) -> list[str]:
        found = sorted((sources / folder).glob("*.md"), key=lambda p: (p.stem != "README", p.stem))
        return [str(page.relative_to(sources)) for page in found]

    tables = ["reference/tables.md", *in_folder("reference/tables")]
    about = ["tessera.md", "flow.md", "benchmarks.md", "SECURITY.md", "CONTRIBUTING.md"]
    sections = {title: in_folder(folder) for title, folder in SECTIONS.items()}
    sections["Reference"].remove("reference/tables.md")
    named = {"Home": ["index.md"], "Tables": tables, "Tessera": about, **sections}
    return [{title: paths} for title, paths in named.items()]


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _mend_for_disk(built: Path) -> None:
    """Point the pages to files: browsers open no folders, and the network may be away."""
    for page in built.rglob("*.html"):
        top = "../" * (len(page.relative_to(built).parts) - 1)
        text = page.read_text(encoding="utf-8")
        text = text.replace(SHIM, f"{top}assets/search-from-disk.js")
        text = LOGO.sub(rf"\1{top}index.html\2", text)
        page.write_text(text, encoding="utf-8")


def _gather(artifacts: Path, static_docs: Path, out: Path) -> None:
    """What other tools made: dbt's page, and the folders of the artifacts as they are."""
    (out / "dbt").mkdir()
    shutil.copy(static_docs, out / "dbt" / "index.html")
    for name in MADE.keys() - {"dbt"}:
        if (artifacts / name).is_dir():
            shutil.copytree(artifacts / name, out / name)
