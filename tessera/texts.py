"""Between the texts of the vault and what tessera/text says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from tessera.runs import StepFailed
from tessera.settings import Settings

if TYPE_CHECKING:
    from tessera.text.engine import Engine

FIELDS = ("post_text", "ticket_subject", "ticket_body", "survey_comment", "refund_reason")
#: So many texts are held in memory at once.
CHUNK_TEXTS = 100_000

_NEW = f"""
select pseudonym as text_hash, any_value(value) as text
from staging.stg_vault__identifiers
where kind = 'text' and field in {FIELDS} and pseudonym not in
    (select text_hash from enriched.text_scores)
group by pseudonym
order by text_hash
"""


@dataclass(frozen=True)
class Scored:
    """How many texts were new, and what became of them."""

    texts: int
    statuses: dict[str, int]

    def __str__(self) -> str:
        told = [f"{count:,} {status}" for status, count in self.statuses.items()]
        return ": ".join([f"{self.texts:,} new texts", *([", ".join(told)] if told else [])])


def score(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Scored:
    """Score what this engine has not scored yet; forget the scores of texts that are gone.

    The vault holds a text once for each field that it stands in: it is scored once. Each chunk is
    kept when it is done: what a stopped run has scored, the next one need not.
    Raises StepFailed when the settings name an engine or languages that cannot be used.
    """
    from tessera.text.scoring import describe

    told = settings.text
    engine = _open_engine(settings)
    name = f"{engine.name} [{' '.join(told.languages)}]" if told.languages else engine.name
    _forget(connection, name)
    count = 0
    with connection.cursor() as reading:
        for batch in reading.sql(_NEW).to_arrow_reader(CHUNK_TEXTS):
            said = describe(batch["text"], engine, told.languages, settings.warehouse.threads)
            _write(connection, batch["text_hash"], name, said)
            count += batch.num_rows
    return Scored(count, _statuses(connection))


def _open_engine(settings: Settings) -> Engine:
    from tessera.text.engine import EngineRefused, open_engine
    from tessera.text.language import require_known

    try:
        require_known(settings.text.languages)
        return open_engine(settings.text.engine, settings.text.engine_languages)
    except EngineRefused as error:
        raise StepFailed(str(error)) from error


def _forget(connection: duckdb.DuckDBPyConnection, engine: str) -> None:
    """Scores of another engine, and of texts that no export holds any more."""
    connection.execute(
        "delete from enriched.text_scores where engine <> ? or text_hash not in "
        "(select pseudonym from staging.stg_vault__identifiers where kind = 'text')",
        [engine],
    )


def _write(
    connection: duckdb.DuckDBPyConnection, hashes: pa.Array, engine: str, said: pa.Table
) -> None:
    names = pa.array([engine] * len(hashes))
    scores = said.add_column(0, "engine", names).add_column(0, "text_hash", hashes)
    connection.register("new_text_scores", scores)
    connection.execute("insert into enriched.text_scores by name select * from new_text_scores")
    connection.unregister("new_text_scores")


def _statuses(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many of all texts came out how."""
    found = connection.execute(
        "select status, count(*) from enriched.text_scores group by status order by 2 desc, 1"
    )
    return dict(found.fetchall())
