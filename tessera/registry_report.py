"""The registry of ML models for the terminal."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tessera import champions, registry

# Of each ML model: what it is, when it assigned, and the last thing that happened to it.
MODELS = """
with assigned as (
    select model_id, min(as_of) as first_day, max(as_of) as last_day
    from ml.champions group by model_id
), happened as (
    select model_id, max_by(status, seq) as status, max_by(reason, seq) as reason
    from ops.model_events group by model_id
)
select model_id, models.as_of, models.algorithm, models.k, fits.silhouette, first_day, last_day,
    status, reason
from ml.models as models
left join (select distinct on (model_id) model_id, silhouette from ml.fits order by model_id)
    as fits using (model_id)
left join assigned using (model_id)
left join happened using (model_id)
order by models.as_of, model_id
"""


def models(connection: duckdb.DuckDBPyConnection) -> RenderableType:
    """One line an ML model, the oldest first. Raises LookupError when there is none."""
    rows = connection.execute(MODELS).fetchall()
    if not rows:
        raise LookupError("the registry is empty: `make run` fits the first ML model")
    champion = champions.latest(connection)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("ML model", overflow="fold", min_width=30)
    for heading in ("Fitted as of", "k", "Silhouette", "Status"):
        table.add_column(heading, justify="right" if heading in ("k", "Silhouette") else "left")
    for model_id, as_of, _, k, silhouette, first, last, status, reason in rows:
        stands = _status(model_id, first, last, status, reason, champion)
        style = "bold" if champion and champion.model_id == model_id else ""
        table.add_row(model_id, str(as_of), str(k), _figure(silhouette), stands, style=style)
    waiting = _waiting(connection)
    return Group(table, Text(waiting)) if waiting else table


def model(connection: duckdb.DuckDBPyConnection, artifacts: Path, model_id: str) -> RenderableType:
    """All the registry knows of one ML model, and whether its file is whole. Raises LookupError."""
    row = connection.execute(
        "select as_of, algorithm, k, feature_version, features, file, sha256, bytes, software "
        "from ml.models where model_id = ?",
        [model_id],
    ).fetchone()
    if row is None:
        raise LookupError(f"no ML model '{model_id}'. `tessera models list` shows them")
    as_of, algorithm, k, version, features, file, digest, size, software = row
    path = artifacts / registry.FOLDER / file
    facts = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in (
        ("ML model", model_id),
        ("Fitted as of", as_of),
        ("Algorithm", f"{algorithm}, k = {k}"),
        ("Features", ", ".join(json.loads(features)["columns"])),
        ("Feature version", version),
        ("File", f"{path} ({size:,} bytes)"),
        ("SHA-256", f"{digest} ({_state_of(path, digest)})"),
        ("Made with", ", ".join(f"{n} {v}" for n, v in json.loads(software).items())),
    ):
        facts.add_row(Text(name, style="bold"), str(value))
    return Group(facts, _evidence(connection, model_id), _history(connection, model_id))


def _status(
    model_id: str,
    first: object,
    last: object,
    status: str | None,
    reason: str | None,
    champion: champions.Champion | None,
) -> str:
    if champion and champion.model_id == model_id:
        return f"champion since {first}"
    if first is not None:
        return f"champion {first} to {last}"
    return f"{status}: {reason}" if status == "kept back" and reason else status or "fitted"


def _waiting(connection: duckdb.DuckDBPyConnection) -> str:
    champion = champions.latest(connection)
    word = champions.newest_word(connection, champion.as_of, champion) if champion else None
    return f"From the next run on: {word.model_id} ({word.action})" if word else ""


def _state_of(file: Path, digest: str) -> str:
    if not file.is_file():
        return "the file is missing"
    whole = hashlib.sha256(file.read_bytes()).hexdigest() == digest
    return "the file is whole" if whole else "the file was CHANGED and will not be opened"


def _evidence(connection: duckdb.DuckDBPyConnection, model_id: str) -> Table:
    table = Table(title="\nCandidates", title_justify="left", box=SIMPLE_HEAD)
    for heading in ("", "k", "silhouette", "stability", "smallest", "revenue explained"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_column("")
    for (
        algorithm,
        k,
        silhouette,
        stability,
        share,
        explained,
        is_chosen,
        reason,
    ) in connection.execute(
        "select algorithm, k, silhouette, stability, smallest_share, revenue_explained, "
        "is_chosen, reason from ml.fit_evidence where model_id = ? order by candidate",
        [model_id],
    ).fetchall():
        figures = (_figure(silhouette), _figure(stability), f"{share:.1%}", _figure(explained))
        style = "bold" if is_chosen else ""
        table.add_row(algorithm, str(k), *figures, reason, style=style)
    return table


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _history(connection: duckdb.DuckDBPyConnection, model_id: str) -> Table:
    table = Table(title="\nHistory", title_justify="left", box=SIMPLE_HEAD)
    for heading in ("as of", "what", "why"):
        table.add_column(heading)
    for as_of, status, reason in connection.execute(
        "select as_of, status, reason from ops.model_events where model_id = ? order by seq",
        [model_id],
    ).fetchall():
        table.add_row(str(as_of), status, reason)
    return table
