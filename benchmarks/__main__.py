"""The measures: `python -m benchmarks 5000 50000 200000 --out docs/benchmarks.md`.

At every size the pipeline (`make run`), the floor and the notebook run one after the other, each in
its own process, on the same exports. Nothing is asserted: the aims are printed beside the figures.
Scratch data goes to the folder for temporary files ($TMPDIR) and is deleted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks import machine, pipeline, report
from benchmarks.process import ProgramFailed
from benchmarks.sizes import Plan, Size, measure

SCALE_CUSTOMERS = 1_000_000


def main() -> None:
    """Parse the command line, measure, print, write."""
    told = _arguments()
    console = Console()
    facts = machine.facts()
    sizes: list[Size] = []
    plan = Plan(told.exports and told.exports.resolve(), not told.no_steps, not told.no_notebook)
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        for customers in told.customers:

            def say(what: str, customers: int = customers) -> None:
                console.print(f"[dim]{customers:,} customers:[/dim] {what}", highlight=False)

            sizes.append(measure(customers, Path(folder) / str(customers), plan, say))
            _write(told.out, list(report.tables(facts, sizes)))
        found = list(report.tables(facts, sizes)) if sizes else []
        if told.demo_scale:
            console.print(f"[dim]{SCALE_CUSTOMERS:,} customers:[/dim] exports as Parquet")
            scratch = Path(folder) / "scale"
            demo = pipeline.make_demo(
                SCALE_CUSTOMERS, scratch / "inbox", scratch / "demo.log", "parquet"
            )
            found.append(report.demo_scale(SCALE_CUSTOMERS, demo))
    for table in found:
        console.print(table.for_terminal())
    _write(told.out, found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("customers", type=int, nargs="*", help="sizes, in the order of the runs")
    parser.add_argument("--out", type=Path, help="write the tables as Markdown to this file")
    parser.add_argument("--exports", type=Path, help="keep the exports here and use them again")
    parser.add_argument("--no-steps", action="store_true", help="no memory of each step")
    parser.add_argument("--no-notebook", action="store_true")
    parser.add_argument(
        "--demo-scale", action="store_true", help=f"write {SCALE_CUSTOMERS:,} customers as well"
    )
    return parser.parse_args()


def _write(out: Path | None, tables: list[report.Figures]) -> None:
    if out is None:
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    parts = ["# Measures\n", "Made by `make bench`; how: benchmarks/.\n"]
    text = "\n".join([*parts, *(table.for_markdown() for table in tables)])
    out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except ProgramFailed as error:
        sys.exit(str(error))
