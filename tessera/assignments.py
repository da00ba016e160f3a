"""Every customer in her segment: the champion, or a challenger that passes the gates, assigns.

Between `models.weeks.advance` and the tables of the ml floor. docs/how-to/moves-and-gates.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from models.naming_rules import RESERVED, WITHOUT_PURCHASE_ID
from tessera import champions, fits, registry, weeks
from tessera.champions import Champion, Word
from tessera.names import features_of, given_names, rules_of
from tessera.settings import Settings

if TYPE_CHECKING:
    from models.clustering import FittedSegments
    from models.weeks import Outcome, Week

log = logging.getLogger(__name__)
TABLES = ("assignments", "moves", "lineage", "model_gates", "segment_names")


@dataclass(frozen=True)
class Models:
    """The ML models of a run, by their ids: who assigned before, who challenges, who is wanted."""

    champion: Champion | None
    challenger_id: str | None
    word: Word | None

    @property
    def contender_id(self) -> str | None:
        """The one that may take over: what an operator wants goes before this week's fit."""
        return self.word.model_id if self.word else self.challenger_id


@dataclass(frozen=True)
class Assigned:
    """What a run did: a line for people, what the gates said of a fit (`Verdict.reasons`), what it
    hands on, and stability by segment_id.
    """

    told: str
    reasons: pd.DataFrame
    week: Week
    stability: Mapping[str, float]


def assign(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    customers: pd.DataFrame,
    as_of: date,
    now: datetime,
) -> Assigned:
    """Judge this day's fit if there is one, put every customer into a segment, say who moved.

    Replaces what the ml floor says of this day. Raises ModelRefused when an ML model cannot be
    used, ValueError when there is neither a champion nor a fit.
    """
    models = _models(connection, as_of)
    outcome = _advance(connection, settings, customers, models, as_of)
    promoted = outcome.verdict.is_promoted
    assert models.contender_id or models.champion
    model_id = models.contender_id if promoted or not models.champion else models.champion.model_id
    assert model_id
    names = _name(connection, settings, customers, outcome, models)
    connection.execute("begin")
    try:
        _write(connection, outcome, names, models, model_id, as_of)
        _note(connection, outcome, models, model_id, as_of, now)
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    week = outcome.week
    stable = enumerate(week.fitted.segment_stability)
    stability = {week.ids[cluster]: float(jaccard) for cluster, jaccard in stable}
    told = _told(outcome, models, model_id)
    return Assigned(told, outcome.verdict.reasons, week, stability)


def _models(connection: duckdb.DuckDBPyConnection, as_of: date) -> Models:
    champion = champions.before(connection, as_of)
    word = champions.newest_word(connection, as_of, champion)
    fitted = connection.execute("select model_id from ml.fits where as_of = ?", [as_of]).fetchone()
    models = Models(champion, fitted[0] if fitted else None, word)
    if not (champion or models.contender_id):
        raise ValueError(
            f"no ML model can assign as of {as_of}: none was fitted on that day or assigned before "
            "it. `tessera run fit_segments` fits one"
        )
    return models


def _advance(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    customers: pd.DataFrame,
    models: Models,
    as_of: date,
) -> Outcome:
    from models.weeks import advance

    contender = _open(connection, settings, models.contender_id) if models.contender_id else None
    parameters = fits.week_parameters(settings)
    week = _previous(connection, settings, models, contender)
    restated = weeks.restated(connection, as_of)
    if week and week.inputs.empty:  # no longer kept: as it is known now, or nobody has changed
        now = _figures(customers, week.fitted, parameters.features)
        week, restated = replace(week, inputs=now if restated is None else restated), None
    return advance(
        week,
        customers,
        restated,
        parameters,
        refit=contender is not None,
        as_of=as_of,
        challenger=None if models.word else contender,
        chosen=contender if models.word else None,
    )


def _figures(
    customers: pd.DataFrame, fitted: FittedSegments, features: Iterable[str]
) -> pd.DataFrame:
    """customer_id and the clustered features, as `Week.inputs`."""
    from models.preparation import numeric_features

    names = list(dict.fromkeys([*features, *fitted.preparation.inputs]))
    figures = numeric_features(customers, names)
    figures.insert(0, "customer_id", customers["customer_id"])
    return figures


def _open(
    connection: duckdb.DuckDBPyConnection, settings: Settings, model_id: str
) -> FittedSegments:
    definitions = fits.definitions(settings)
    return registry.load(connection, settings.artifacts_dir, model_id, definitions)


def _previous(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    models: Models,
    contender: FittedSegments | None,
) -> Week | None:
    """The run before; where its champion cannot be opened, the ML model an operator wants."""
    champion = models.champion
    if champion is None:
        return None
    try:
        return weeks.read(connection, champion, _open(connection, settings, champion.model_id))
    except registry.ModelRefused as refused:
        if models.word is None or contender is None:
            raise
        log.warning("%s takes over: %s", models.word.model_id, refused)
    lineage = weeks.take_over(connection, champion, contender)
    successor = replace(champion, ids=lineage.ids, newest_number=lineage.newest_number)
    return weeks.read(connection, successor, contender)


def _name(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    customers: pd.DataFrame,
    outcome: Outcome,
    models: Models,
) -> pd.DataFrame:
    held = connection.execute(
        "select segment_id, segment_name from ml.segment_names where as_of = ?",
        [models.champion.as_of if models.champion else None],
    ).fetchall()
    placed = outcome.week.placed.set_index("customer_id")["segment_id"]
    return name(settings, customers, placed, given_names(connection), dict(held))


def name(
    settings: Settings,
    customers: pd.DataFrame,
    placed: pd.Series,
    given: Mapping[str, str],
    held: Mapping[str, str],
) -> pd.DataFrame:
    """segment_id, segment_name, description, suggested_action, suggested_channel.

    placed: customer_id -> segment_id; given, held: segment_id -> the name that people gave it, and
    the one it bore at the last run.
    """
    from models.naming import name_segments
    from models.profiles import profile_segments

    described = fits.typical(customers, settings)
    where = placed.reindex(described["customer_id"])
    if set(where) < set(placed):  # a segment of outliers only has a name as well
        described, where = customers, placed.reindex(customers["customer_id"])
    rules = rules_of(settings.names, customers)
    profiles = profile_segments(described, where.to_numpy(), features_of(rules))
    return name_segments(profiles, rules, settings.currency, given, held)


def _write(
    connection: duckdb.DuckDBPyConnection,
    outcome: Outcome,
    names: pd.DataFrame,
    models: Models,
    model_id: str,
    as_of: date,
) -> None:
    for table in TABLES:
        connection.execute(f"delete from ml.{table} where as_of = ?", [as_of])
    _write_names(connection, names, model_id, as_of)
    _write_assignments(connection, outcome.week.placed, model_id, as_of)
    before = models.champion
    champions.write(
        connection,
        Champion(
            as_of,
            model_id,
            outcome.week.ids,
            outcome.week.newest_number,
            models.word.word if models.word else before.word if before else 0,
        ),
    )
    weeks.write_inputs(connection, outcome.week.inputs, as_of)
    if before:
        _write_moves(connection, outcome.moves, before.as_of, as_of)
    _write_lineage(connection, outcome.lineage.events, before.as_of if before else None, as_of)
    if models.contender_id:
        _write_gates(connection, outcome, models.contender_id, as_of)


def _write_names(
    connection: duckdb.DuckDBPyConnection, names: pd.DataFrame, model_id: str, as_of: date
) -> None:
    never = RESERVED[WITHOUT_PURCHASE_ID]
    told = {
        "model_id": model_id, "as_of": as_of, "id": WITHOUT_PURCHASE_ID, "name": never.name,
        "lead": f"{never.lead}.", "action": never.suggested_action,
        "channel": never.suggested_channel,
    }  # fmt: skip
    connection.execute(
        """
        insert into ml.segment_names by name
        select $model_id as model_id, $as_of as as_of, * from names
        union all by name
        select $model_id as model_id, $as_of as as_of, $id as segment_id, $name as segment_name,
            $lead as description, $action as suggested_action, $channel as suggested_channel
        """,
        told,
    )


def _write_assignments(
    connection: duckdb.DuckDBPyConnection, placed: pd.DataFrame, model_id: str, as_of: date
) -> None:
    connection.execute(
        f"""
        insert into ml.assignments by name
        select {", ".join(weeks.PLACED)}, $as_of as as_of, $model_id as model_id, segment_name
        from placed join ml.segment_names as names using (segment_id)
        where names.as_of = $as_of
        union all by name
        select customer_id, $as_of as as_of, $model_id as model_id, $id as segment_id,
            $name as segment_name
        from features.customer_features
        where as_of = $as_of and coalesce(frequency, 0) = 0
        order by customer_id
        """,
        {
            "as_of": as_of,
            "model_id": model_id,
            "id": WITHOUT_PURCHASE_ID,
            "name": RESERVED[WITHOUT_PURCHASE_ID].name,
        },
    )


def _write_moves(
    connection: duckdb.DuckDBPyConnection, moves: pd.DataFrame, previous: date, as_of: date
) -> None:
    """Who moved; to have bought for the first time, or no longer at all, is a move as well."""
    connection.execute(
        """
        insert into ml.moves by name
        with before as (select * from ml.assignments where as_of = $previous)
        select $as_of as as_of, $previous as previous_as_of, customer_id,
            coalesce(moves.from_segment_id, before.segment_id) as from_segment_id,
            to_segment_id, cause
        from moves left join before using (customer_id)
        union all by name
        select $as_of as as_of, $previous as previous_as_of, customer_id,
            before.segment_id as from_segment_id, $id as to_segment_id, 'correction' as cause
        from before join ml.assignments as after using (customer_id)
        where after.as_of = $as_of and after.segment_id = $id and before.segment_id <> $id
        order by customer_id
        """,
        {"as_of": as_of, "previous": previous, "id": WITHOUT_PURCHASE_ID},
    )


def _write_lineage(
    connection: duckdb.DuckDBPyConnection,
    events: pd.DataFrame,
    previous: date | None,
    as_of: date,
) -> None:
    numbered = events.assign(event_number=range(1, len(events) + 1))  # noqa: F841
    connection.execute(
        "insert into ml.lineage by name "
        "select $as_of as as_of, $previous as previous_as_of, * from numbered "
        "order by event_number",
        {"as_of": as_of, "previous": previous},
    )


def _write_gates(
    connection: duckdb.DuckDBPyConnection, outcome: Outcome, model_id: str, as_of: date
) -> None:
    reasons = outcome.verdict.reasons
    if reasons.empty:
        return
    connection.execute(
        "insert into ml.model_gates by name select $as_of as as_of, $model_id as model_id, "
        "$is_promoted as is_promoted, gate, passed, observed, bound, told from reasons",
        {"as_of": as_of, "model_id": model_id, "is_promoted": outcome.verdict.is_promoted},
    )


def _note(
    connection: duckdb.DuckDBPyConnection,
    outcome: Outcome,
    models: Models,
    model_id: str,
    as_of: date,
    now: datetime,
) -> None:
    """Write the verdict into the history of the ML models."""
    contender, told = models.contender_id, outcome.verdict.told
    if models.word:
        told = f"an operator's word ({models.word.action})"
    if contender and contender == model_id:
        registry.note(connection, contender, as_of, "promoted", told, now)
    elif contender:
        registry.note(connection, contender, as_of, "kept back", told, now)


def _told(outcome: Outcome, models: Models, model_id: str) -> str:
    """One line for people; a warning when a gate kept this week's fit back."""
    week, moves = outcome.week, outcome.moves
    known = moves["from_segment_id"].notna()
    counted = moves.loc[known, "cause"].value_counts().sort_index()
    causes = ", ".join(f"{count:,} {cause}" for cause, count in counted.items())
    moved = f"{int(known.sum()):,} moved" + (f" ({causes})" if causes else "")
    line = f"{len(week.placed):,} customers in {len(week.ids)} segments by {model_id}"
    if models.champion:
        line += f"; {moved}"
    return f"warning: {outcome.verdict.told} {line}" if outcome.verdict.is_refused else line
