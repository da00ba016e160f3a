"""`make docs`: the dbt docs, Data Docs and the quality page in one folder that opens from disk."""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path

from tessera import dbt, runs
from tessera.settings import Settings

INDEX = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{company}: Tessera</title>
<style>body{{font:16px/1.6 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem;
color-scheme:light dark}}</style>
<h1>{company}</h1><ul>{links}</ul></html>
"""
PAGES = {
    "quality": "Data quality, in plain words, with links to Great Expectations' Data Docs",
    "dbt": "Tables and how they are made (dbt docs)",
}


def build(settings: Settings, out: Path) -> Path:
    """Build the site of the last run into `out`; return its first page.

    Raises NothingLoaded before the first run.
    """
    with runs.open_run_warehouse(settings) as connection:
        as_of = runs.newest_day(connection)
    page = dbt.docs(settings, as_of)
    shutil.rmtree(out, ignore_errors=True)
    (out / "dbt").mkdir(parents=True)
    shutil.copy(page, out / "dbt" / "index.html")
    for name in ("quality", "data_docs"):
        made = settings.artifacts_dir / name
        if made.is_dir():
            shutil.copytree(made, out / name)
    links = "".join(
        f'<li><a href="{name}/index.html">{title}</a>'
        for name, title in PAGES.items()
        if (out / name).is_dir()
    )
    index = out / "index.html"
    index.write_text(INDEX.format(company=escape(settings.company), links=links), encoding="utf-8")
    return index
