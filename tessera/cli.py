"""The command line: thin, every command one call."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from json import dumps
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from tessera import answers, lineage, loads, report, runs, settings, site, steps, warehouse
from tessera.doctor import examine
from tessera.ingest import repairs
from tessera.ingest.ledger import withdraw as take_back

app = typer.Typer(
    help="Customer exports in, segment tables out.", no_args_is_help=True, add_completion=False
)
console = Console()


@app.command()
def run(
    step: Annotated[str, typer.Argument(help=f"One of: {', '.join(steps.STEPS)}")],
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    json: Annotated[
        bool, typer.Option("--json", help="A JSON object a line for each step that ended")
    ] = False,
) -> None:
    """Run one step without Airflow."""
    if step not in steps.STEPS:
        raise typer.BadParameter(f"'{step}' is no step; known: {', '.join(steps.STEPS)}")
    day = as_of.date() if as_of else None
    hear = _print_json if json else lineage.tell_nobody
    summary = steps.run_step(step, settings.load(), day, tell=hear)
    if not json:
        console.print(f"{step}: {summary}", highlight=False)


def _print_json(ended: lineage.Ended) -> None:
    typer.echo(dumps(asdict(ended), default=str))


named = typer.Typer(help="The segments; alone, shows those that are published.")
app.add_typer(named, name="segments")


@named.callback(invoke_without_command=True)
def segments(context: typer.Context) -> None:
    """Show the published segments, and where to look next."""
    if context.invoked_subcommand:
        return
    told = settings.load()
    console.print(report.segments(told.published_dir, told.currency))
    where = report.places(told.published_dir, told.artifacts_dir, told.warehouse_file)
    console.print(where, soft_wrap=True, highlight=False, markup=False)


@named.command("rename")
def rename_segment(
    segment_id: Annotated[str, typer.Argument(help="As `tessera segments` shows it")],
    name: Annotated[str | None, typer.Argument(help="None takes your name back")] = None,
    reason: Annotated[str | None, typer.Option(help="Kept beside the name")] = None,
) -> None:
    """Give a segment a name of yours, which stays with its id from the next run on."""
    from tessera.names import rename

    told = settings.load()
    with runs.open_run_warehouse(told) as connection:
        done = rename(connection, told, segment_id, name, reason, runs.now())
    console.print(done, highlight=False, markup=False)


@app.command("sql")
def ask(
    query: Annotated[str, typer.Argument(help="SQL on the published tables (schema segments)")],
    form: Annotated[answers.Format, typer.Option("--format", help="json: a line a row")] = "table",
) -> None:
    """Query the published tables, read-only."""
    file = settings.load().published_file
    try:
        answers.answer(file, query, form, console, sys.stdout.buffer)
    except BrokenPipeError:
        sys.stdout = None  # who reads has had enough, as `head` does


@app.command()
def doctor() -> None:
    """Show what became of every file and row, and what to do about what was refused."""
    told = settings.load()
    with runs.open_run_warehouse(told) as connection:
        for table in examine(connection):
            console.print(table)


@app.command()
def withdraw(
    file: Annotated[str, typer.Argument(help="As `tessera doctor` names it: a path in the inbox")],
) -> None:
    """Take back a file that should not have been loaded; its bytes are not loaded again."""
    with runs.open_run_warehouse(settings.load()) as connection:
        rows = take_back(connection, file, runs.now())
    console.print(f"{file}: {rows:,} rows withdrawn", highlight=False)


quarantine = typer.Typer(help="Refused rows: mend them and load them.", no_args_is_help=True)
app.add_typer(quarantine, name="quarantine")
SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="As the settings name it")]


@quarantine.command("export")
def export_refused(
    source: SourceName,
    out: Annotated[Path, typer.Argument(help="JSON lines: mend each `record`")],
) -> None:
    """Write the refused rows of a source, to be mended by hand."""
    with runs.open_run_warehouse(settings.load()) as connection:
        rows = repairs.export(connection, source, out)
    console.print(f"{rows:,} refused rows of {source} in {out}", highlight=False)


@quarantine.command()
def retry(
    source: SourceName,
    repaired: Annotated[
        Path | None, typer.Option(exists=True, help="Rows from `quarantine export`, mended")
    ] = None,
) -> None:
    """Load the files of a source that have refused rows anew, with repaired rows if given."""
    console.print(loads.retry(settings.load(), source, repaired), highlight=False)


people = typer.Typer(help="Who is who, for those who may know.", no_args_is_help=True)
app.add_typer(people, name="customers")


@people.command("find")
def find_customers(
    identifier: Annotated[str, typer.Argument(help="Exported id, e-mail, telephone or handle")],
) -> None:
    """Show the pseudonym and the segment of a customer."""
    from tessera.privacy.find import find

    with runs.open_run_warehouse(settings.load()) as connection:
        for found in find(connection, identifier):
            stands = f"{found.segment_name}, {found.lifecycle_stage}, as of {found.as_of}"
            told = stands if found.segment_name else "in no segment"
            console.print(f"{found.pseudonym}  {told}", highlight=False)


@app.command()
def explain(
    customer: Annotated[
        str, typer.Argument(help="Pseudonym, exported id, e-mail, telephone or handle")
    ],
) -> None:
    """Show a customer's segment, how sure that is, why she is in it, and the second best."""
    from tessera.explanations import told

    with runs.open_run_warehouse(settings.load()) as connection:
        for text in told(connection, customer):
            console.print(text, highlight=False)


identity = typer.Typer(help="Which accounts are one customer.", no_args_is_help=True)
app.add_typer(identity, name="identity")
AccountName = Annotated[str, typer.Argument(help="Pseudonym, as `customers find` prints it")]
Why = Annotated[str | None, typer.Option(help="Kept in the ledger beside the word")]


@identity.command("merge")
def merge_accounts(account: AccountName, other: AccountName, reason: Why = None) -> None:
    """Let two accounts always be one customer, from the next run on."""
    _say("merge", account, other, reason)


@identity.command("split")
def split_accounts(account: AccountName, other: AccountName, reason: Why = None) -> None:
    """Let two accounts never be one customer, from the next run on."""
    _say("split", account, other, reason)


@identity.command("undo")
def undo_override(
    number: Annotated[int, typer.Argument(help="As `tessera identity report` shows it")],
    reason: Why = None,
) -> None:
    """Take a merge or a split back: the next run restores what was."""
    from tessera import operators

    with runs.open_run_warehouse(settings.load()) as connection:
        console.print(operators.undo_word(connection, number, reason, runs.now()))


@identity.command("report")
def report_identity(
    rows: Annotated[int, typer.Option(min=1, help="Doubtful pairs to show")] = 20,
) -> None:
    """Show the doubtful verdicts of the last run, by revenue at stake, and what operators said."""
    from tessera import operators

    with runs.open_run_warehouse(settings.load()) as connection:
        for table in operators.report(connection, rows):
            console.print(table)


@identity.command("explain")
def explain_identity(account: AccountName, other: AccountName) -> None:
    """Show what each comparison adds to the match weight of two accounts; no values of theirs."""
    from tessera import operators

    told = settings.load()
    with runs.open_run_warehouse(told) as connection:
        secret = runs.pseudonym_key(connection, told)
        table, page = operators.explain(
            connection, (account, other), told.identity, told.artifacts_dir, secret
        )
    console.print(table)
    console.print(f"Chart: {page}", highlight=False, soft_wrap=True)


def _say(action: str, account: str, other: str, reason: str | None) -> None:
    from tessera import operators

    with runs.open_run_warehouse(settings.load()) as connection:
        console.print(operators.say_word(connection, action, (account, other), reason, runs.now()))


about = typer.Typer(help="What people write about.", no_args_is_help=True)
app.add_typer(about, name="topics")


@about.command("list")
def list_topics() -> None:
    """Show the topics of the latest run."""
    from tessera.topics import latest

    with runs.open_run_warehouse(settings.load()) as connection:
        found = latest(connection)
    for topic_id, label, texts in found:
        console.print(f"{topic_id}  {texts:>7,} texts  {label}", highlight=False)
    if not found:
        console.print(
            "No topics: too few texts have words that enough people use, or `tessera run "
            "find_topics` has not been run",
            soft_wrap=True,
            highlight=False,
        )


@about.command("show")
def show_topic(topic_id: str, count: Annotated[int, typer.Option(min=1)] = 5) -> None:
    """Print texts about a topic, as people wrote them: for those who may read the vault."""
    from tessera.topics import examples

    with runs.open_run_warehouse(settings.load()) as connection:
        for text_hash, share, text in examples(connection, topic_id, count):
            # What steers a terminal is not shown to one.
            shown = "".join(c if c.isprintable() else " " for c in text[:300])
            shown = " ".join(shown.split())
            console.print(f"{text_hash}  {share:.0%}  {shown}", highlight=False, markup=False)


fitted = typer.Typer(help="The ML models that were fitted.", no_args_is_help=True)
app.add_typer(fitted, name="models")
ModelId = Annotated[str, typer.Argument(metavar="MODEL", help="As `tessera models list` prints it")]


@fitted.command("list")
def list_models() -> None:
    """Show every ML model, whether it assigned customers, and why it did not."""
    from tessera.registry_report import models

    with runs.open_run_warehouse(settings.load()) as connection:
        console.print(models(connection))


@fitted.command("show")
def show_model(model: ModelId) -> None:
    """Show what an ML model was fitted on, its evidence, its file and its history."""
    from tessera.registry_report import model as shown

    told = settings.load()
    with runs.open_run_warehouse(told) as connection:
        console.print(shown(connection, told.artifacts_dir, model), soft_wrap=True)


@fitted.command("promote")
def promote_model(model: ModelId, reason: Why = None) -> None:
    """Let an ML model assign customers from the next run on, whatever the gates said of it."""
    from tessera.champions import promote

    with runs.open_run_warehouse(settings.load()) as connection:
        word = promote(connection, model, reason, runs.now())
    console.print(f"{word.model_id} assigns from the next run on", highlight=False)


@fitted.command("rollback")
def roll_back_model(reason: Why = None) -> None:
    """Let the champion before this one assign customers again, from the next run on."""
    from tessera.champions import rollback

    with runs.open_run_warehouse(settings.load()) as connection:
        word = rollback(connection, reason, runs.now())
    console.print(f"{word.model_id} assigns again from the next run on", highlight=False)


@app.command()
def demo(
    customers: Annotated[int, typer.Option(min=1)] = 5_000,
    days: Annotated[int, typer.Option(min=1)] = 730,
    seed: int = 42,
    out: Annotated[Path | None, typer.Option(help="Default: the inbox of the settings")] = None,
    truth: Annotated[Path | None, typer.Option(help="Default: demo-truth beside the inbox")] = None,
    file_format: Annotated[Literal["exports", "parquet"], typer.Option("--format")] = "exports",
    if_empty: Annotated[
        bool, typer.Option(help="Only when the inbox is empty and the settings want it")
    ] = False,
) -> None:
    """Write the exports of a demo company."""
    from tessera.demo.company import write

    if if_empty:
        told = settings.load()
        if not told.demo_when_empty or _has_files(told.inbox_dir):
            return
    inbox = out or settings.load().inbox_dir
    truth = truth or inbox.parent / "demo-truth"
    try:
        with warehouse.in_memory() as connection:
            rows = write(connection, inbox, truth, customers, days, seed, file_format)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    console.print(
        f"Demo company: {customers:,} customers, {sum(rows.values()):,} rows in {inbox}",
        highlight=False,
    )


@app.command()
def docs(out: Path = Path("site")) -> None:
    """Build the docs of the last run as a site that opens from disk."""
    console.print(f"Open {site.build(settings.load(), out)}", highlight=False)


@app.command()
def reference(
    out: Path = Path("docs/reference"),
    charts: Annotated[
        bool, typer.Option("--charts", help="Draw the charts and ask the queries anew, too")
    ] = False,
) -> None:
    """Write the reference pages of the docs anew, and what tables gained into their contract."""
    from tessera import contract
    from tessera.dbt import manifest
    from tessera.pages import outputs_of
    from tessera.reference import write

    told = settings.load()
    contract.update(contract.shape(manifest(told)))
    outputs = site.draw(told, manifest(told), out.parent) if charts else outputs_of(out)
    for path in write(told, out, outputs):
        console.print(f"wrote {path}", highlight=False)


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_file() for path in folder.rglob("*"))


def main() -> None:
    """Entry point: known failures end in one readable line and exit code 1."""
    try:
        app()
    except (
        *steps.FINAL,
        *steps.PASSING,
        warehouse.WarehouseBusy,
        answers.NothingPublished,
        site.SiteFailed,
        ValueError,
        LookupError,
    ) as error:
        Console(stderr=True, soft_wrap=True).print(
            f"[red]Error:[/red] {escape(str(error))}", highlight=False
        )
        sys.exit(1)
