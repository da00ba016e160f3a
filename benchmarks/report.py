"""The figures as tables: once for the terminal, once for Markdown, from the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.agreement import NAMED
from benchmarks.process import Measured
from benchmarks.sizes import NOTEBOOK_BYTES, NOTEBOOK_CUSTOMERS, NOTEBOOK_SECONDS, Size
from tessera.steps import STEPS

GIGABYTE = 1e9


@dataclass(frozen=True)
class Figures:
    """A table: title, what to know before reading it, head, rows. Numbers stand right."""

    title: str
    note: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def for_terminal(self) -> Table:
        """The table for rich."""
        table = Table(title=self.title, caption=self.note or None, title_justify="left")
        for i, name in enumerate(self.head):
            table.add_column(name, justify="right" if i else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def for_markdown(self) -> str:
        """The table as Markdown, with its heading."""
        lines = [f"## {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        lines.append("| " + " | ".join(self.head) + " |")
        lines.append("|---" + "|---:" * (len(self.head) - 1) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([*lines, ""])

    def show(self) -> None:
        """Print both."""
        Console().print(self.for_terminal())
        print(self.for_markdown())


def tables(facts: Mapping[str, str], sizes: Sequence[Size]) -> Iterator[Figures]:
    """All tables of a run, in order."""
    yield Figures("Machine", "", ("", ""), list(facts.items()))
    yield _ratio(sizes)
    yield _aims(sizes)
    yield _parts(sizes)
    yield _step_seconds(sizes)
    if any(size.steps for size in sizes):
        yield _memory(sizes)
    yield _floor_parts(sizes)
    yield _agreement(sizes)
    if any(size.notebook for size in sizes):
        yield _notebook(sizes)


def demo_scale(customers: int, demo: Measured) -> Figures:
    """The demo company at scale, as Parquet."""
    row = (f"{customers:,}", _s(demo.seconds), _s(demo.cpu_seconds), _gb(demo.peak_bytes))
    note = "Aim: under 600 s and 4 GB."
    head = ("Customers", "Seconds", "Processor seconds", "Peak memory")
    return Figures("Demo company at scale (Parquet)", note, head, [row])


def _head(sizes: Sequence[Size], first: str) -> tuple[str, ...]:
    return (first, *(f"{size.customers:,} customers" for size in sizes))


def _ratio(sizes: Sequence[Size]) -> Figures:
    rows = [
        ("Rows in the exports", *(f"{s.rows:,}" for s in sizes)),
        ("`make run`, seconds", *(_s(s.whole.measured.seconds) for s in sizes)),
        ("Floor, seconds", *(_s(s.floor.seconds) for s in sizes)),
        ("**Pipeline ÷ floor**", *(f"**{_by(s, 'seconds'):.2f}**" for s in sizes)),
        ("`make run`, processor seconds", *(_s(s.whole.measured.cpu_seconds) for s in sizes)),
        ("Floor, processor seconds", *(_s(s.floor.cpu_seconds) for s in sizes)),
        ("Pipeline ÷ floor by processor seconds", *(f"{_by(s, 'cpu_seconds'):.2f}" for s in sizes)),
        ("`make run` again, nothing new", *(_s(s.again.seconds) for s in sizes)),
        (
            "Writing the exports (not part of any)",
            *(_s(s.demo.seconds if s.demo else None) for s in sizes),
        ),
        ("Load of the machine before", *(f"{s.load:.1f}" for s in sizes)),
    ]
    note = (
        "Seconds by the clock grow with what else runs on the machine; processor seconds (all "
        "cores summed) hardly do. `make run` starts with its environment ready, an empty data "
        "folder and exports in place."
    )
    return Figures("Pipeline and floor", note, _head(sizes, ""), rows)


def _aims(sizes: Sequence[Size]) -> Figures:
    by_size = {size.customers: size for size in sizes}
    rows = []
    if small := by_size.get(5_000):
        seconds = small.whole.measured.seconds
        rows.append(
            ("`make run` at 5,000 customers", "under 75 s", _s(seconds), _met(seconds < 75))
        )
        over = small.whole.overhead
        rows.append(("Overhead at 5,000 customers", "under 30 s", _s(over), _met(over < 30)))
    if large := by_size.get(200_000):
        by = _by(large, "seconds")
        rows.append(("Pipeline ÷ floor at 200,000", "at most 1.50", f"{by:.2f}", _met(by <= 1.5)))
        if large.steps:
            peak = max(m.peak_bytes for m in large.steps.values())
            rows.append(
                ("Peak memory of a step at 200,000", "under 2 GB", _gb(peak), _met(peak < 2e9))
            )
    return Figures("Aims", "", ("", "Aim", "Measured", ""), rows)


def _parts(sizes: Sequence[Size]) -> Figures:
    names = list(sizes[0].whole.parts)
    rows = [(name, *(_s(size.whole.parts[name]) for size in sizes)) for name in names]
    rows.append(("**Whole**", *(_s(size.whole.measured.seconds) for size in sizes)))
    rows.append(("**Of it overhead**", *(_s(size.whole.overhead) for size in sizes)))
    note = (
        "Seconds. Overhead = Airflow (whole − steps − commands) + dbt besides its nodes (starting, "
        "parsing, compiling) + Great Expectations gates (the whole steps). dbt's tests stand by "
        "themselves; the floor has none. A dbt model's seconds hold what dbt does around its SQL."
    )
    return Figures("Where the time of `make run` goes", note, _head(sizes, ""), rows)


def _step_seconds(sizes: Sequence[Size]) -> Figures:
    rows = [(step, *(_s(size.whole.steps.get(step)) for size in sizes)) for step in STEPS]
    note = "Seconds within `make run`, from `ops.step_runs`."
    return Figures("Steps", note, _head(sizes, "Step"), rows)


def _memory(sizes: Sequence[Size]) -> Figures:
    measured = [size for size in sizes if size.steps]
    rows = [(step, *(_cost(size.steps.get(step)) for size in measured)) for step in STEPS]
    rows.append(("floor, whole", *(_cost(size.floor) for size in measured)))
    rows.append(("`make run`, one process", *(_cost(size.whole.measured) for size in measured)))
    note = (
        "Each step in a process of its own, in another run: peak memory · seconds with the start "
        "of Python · processor seconds. Further processes of a step (sentiment) are counted in."
    )
    return Figures("Peak memory of each step", note, _head(measured, "Step"), rows)


def _floor_parts(sizes: Sequence[Size]) -> Figures:
    names = list(sizes[0].floor_found["seconds"])
    rows = [(n, *(_s(size.floor_found["seconds"][n]) for size in sizes)) for n in names]
    return Figures("Parts of the floor", "Seconds.", _head(sizes, "Part"), rows)


def _agreement(sizes: Sequence[Size]) -> Figures:
    rows = [
        (name, *(f"{size.agreement.differing[name]:,} differ" for size in sizes)) for name in NAMED
    ]
    others = [
        sum(n for name, n in s.agreement.differing.items() if name not in NAMED) for s in sizes
    ]
    columns = sizes[0].agreement.columns - len(NAMED)
    rows.append((f"the other {columns} columns", *(f"{n:,} differ" for n in others)))
    rows.append(("customers in both", *(f"{s.agreement.customers:,}" for s in sizes)))
    rows.append(("customers in one only", *(f"{s.agreement.one_sided:,}" for s in sizes)))
    rows.append(("pipeline: k, silhouette", *(f"{s.fit[0]}, {s.fit[1]:.6f}" for s in sizes)))
    found = [s.floor_found for s in sizes]
    rows.append(("floor: k, silhouette", *(f"{f['k']}, {f['silhouette']:.6f}" for f in found)))
    note = "`features.customer_features` of both, customer by customer."
    return Figures("Same figures?", note, _head(sizes, ""), rows)


def _notebook(sizes: Sequence[Size]) -> Figures:
    rows = []
    for size in sizes:
        if size.notebook is None:
            continue
        ended = "" if size.notebook.stopped is None else f" (stopped: {size.notebook.stopped})"
        row = [f"{size.customers:,}"]
        for measured, what in ((size.notebook, ended), (size.floor, ""), (size.whole.measured, "")):
            row.append(_cost(measured) + what)
        rows.append(row)
    note = (
        "Peak memory · seconds · processor seconds of a pandas and scikit-learn script of a part "
        "of the same job (what it leaves out: benchmarks/notebook.py); run up to "
        f"{NOTEBOOK_CUSTOMERS:,} customers, {NOTEBOOK_SECONDS:.0f} s and "
        f"{NOTEBOOK_BYTES / 1024**3:.0f} GiB."
    )
    return Figures("Naive notebook", note, ("Customers", "Notebook", "Floor", "`make run`"), rows)


def _by(size: Size, measure: str) -> float:
    return float(getattr(size.whole.measured, measure) / getattr(size.floor, measure))


def _cost(measured: Measured | None) -> str:
    if measured is None:
        return "–"
    seconds = f"{measured.seconds:,.1f} s · {measured.cpu_seconds:,.1f} s"
    return f"{_gb(measured.peak_bytes)} · {seconds}"


def _s(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:,.1f}"


def _gb(size: int) -> str:
    return f"{size / GIGABYTE:.2f} GB"


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"
