"""How fast exports are loaded: `python -m benchmarks.loading --gigabytes 1`.

Each format is loaded into a warehouse on disk as the pipeline does it, and by plain DuckDB
(`create table … as select * from read_…(file)`), in turns, each time in a process of its own, with
the same threads and memory limit. Told are the medians, and the ratio of the medians.
Scratch data goes to the folder for temporary files ($TMPDIR) and is deleted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from time import perf_counter

import duckdb
from rich.console import Console

from benchmarks import machine
from benchmarks.loading_exports import EXPORTS, Export
from benchmarks.process import ProgramFailed, run
from benchmarks.report import GIGABYTE, Figures

LOADED_AT = datetime(2026, 1, 15)
SIDES = ("tessera", "duckdb")


@dataclass(frozen=True)
class Turns:
    """One format measured: file size, and per side the seconds and the peak bytes of each turn."""

    export: Export
    bytes: int
    rows: int
    seconds: dict[str, list[float]]
    peak: dict[str, int]

    @property
    def ratio(self) -> float:
        """Our median time by plain DuckDB's."""
        return median(self.seconds["tessera"]) / median(self.seconds["duckdb"])


def main() -> None:
    """Make the files, take the turns, print."""
    told = _arguments()
    if told.one:
        print(json.dumps(_one(told)))
        return
    console = Console(width=200)
    chosen = [export for export in EXPORTS if not told.formats or export.name in told.formats]
    found = []
    with tempfile.TemporaryDirectory(prefix="tessera-loading-") as folder:
        for export in chosen:
            found.append(_measure(export, Path(folder), told))
            console.print(f"[dim]{export.name}: {found[-1].ratio:.2f}[/dim]", highlight=False)
    tables = [Figures("Machine", "", ("", ""), list(machine.facts().items())), _table(found, told)]
    text = "\n".join(table.for_markdown() for table in tables)
    print(text)
    if told.out:
        told.out.write_text(f"# Load rate\n\n{text}", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1, help="size of each generic file")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="1500MB")
    parser.add_argument("--formats", nargs="*", help="only these; default: all")
    parser.add_argument("--out", type=Path, help="write the tables as Markdown to this file")
    parser.add_argument("--one", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--inbox", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(export: Export, folder: Path, told: argparse.Namespace) -> Turns:
    """Make the file, load it in turns by both sides, delete it."""
    inbox = folder / export.name
    file = export.write(inbox, int(told.gigabytes * GIGABYTE))
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    peak = dict.fromkeys(SIDES, 0)
    rows = 0
    for _ in range(told.turns):
        for side in SIDES:
            limits = ["--threads", str(told.threads), "--memory-limit", told.memory_limit]
            place = ["--formats", export.name, "--inbox", str(inbox), "--one", side]
            command = [sys.executable, "-m", "benchmarks.loading", *place, *limits]
            measured = run(command, folder / "log")
            answer = json.loads(measured.output.splitlines()[-1])
            seconds[side].append(answer["seconds"])
            peak[side] = max(peak[side], measured.peak_bytes)
            rows = answer["rows"]
    size = file.stat().st_size
    file.unlink()
    return Turns(export, size, rows, seconds, peak)


def _one(told: argparse.Namespace) -> dict[str, float]:
    """Load the inbox once, by one side, into a new database on disk."""
    export = next(export for export in EXPORTS if export.name == told.formats[0])
    load = _by_tessera if told.one == "tessera" else _by_duckdb
    with tempfile.TemporaryDirectory(dir=told.inbox.parent) as folder:
        seconds, rows = load(export, told, Path(folder) / "loaded.duckdb")
    return {"seconds": seconds, "rows": rows}


def _by_tessera(export: Export, told: argparse.Namespace, database: Path) -> tuple[float, int]:
    from tessera.ingest.load import create_raw_tables, load_source
    from tessera.ingest.source import Source
    from tessera.warehouse import open_warehouse

    source = Source(**export.source)
    with open_warehouse(database, told.memory_limit, told.threads) as connection:
        create_raw_tables(connection)
        started = perf_counter()
        loaded = load_source(connection, told.inbox, "bench", source, LOADED_AT)
        connection.execute("checkpoint")
        seconds = perf_counter() - started
    if loaded.files_refused or not loaded.rows_loaded or loaded.rows_quarantined:
        raise SystemExit(f"{export.name} was not loaded whole: {loaded}")
    return seconds, loaded.rows_loaded


def _by_duckdb(export: Export, told: argparse.Namespace, database: Path) -> tuple[float, int]:
    (file,) = told.inbox.iterdir()
    config = {"memory_limit": told.memory_limit, "threads": str(told.threads)}
    with duckdb.connect(str(database), config=config) as connection:
        started = perf_counter()
        connection.execute(f"create table loaded as select * from {export.floor(file)}")
        connection.execute("checkpoint")
        seconds = perf_counter() - started
        row = connection.execute("select count(*) from loaded").fetchone()
    assert row is not None
    return seconds, row[0]


def _table(found: Sequence[Turns], told: argparse.Namespace) -> Figures:
    note = (
        f"Medians of {told.turns} turns; {told.threads} threads, memory limit "
        f"{told.memory_limit}. In brackets: the fastest and the slowest turn."
    )
    head = ("Format", "Size", "Rows loaded", "Tessera, s", "Plain DuckDB, s", "Ratio", "Aim",
            "Rows/s", "Peak memory, GB")  # fmt: skip
    return Figures("Load rate against plain DuckDB", note, head, list(_rows(found)))


def _rows(found: Sequence[Turns]) -> Iterator[tuple[str, ...]]:
    for turns in found:
        ours = median(turns.seconds["tessera"])
        peaks = " / ".join(f"{turns.peak[side] / GIGABYTE:.2f}" for side in SIDES)
        yield (
            turns.export.name,
            f"{turns.bytes / GIGABYTE:.2f} GB",
            f"{turns.rows:,}",
            *(_seconds(turns.seconds[side]) for side in SIDES),
            f"**{turns.ratio:.2f}**",
            f"{turns.export.aim:g}" if turns.export.aim else "",
            f"{turns.rows / ours:,.0f}",
            peaks,
        )


def _seconds(turns: list[float]) -> str:
    return f"{median(turns):.2f} ({min(turns):.2f}–{max(turns):.2f})"


if __name__ == "__main__":
    try:
        main()
    except ProgramFailed as error:
        sys.exit(str(error))
