"""What an operator asks and says of identities: `tessera identity …`."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import duckdb
from rich.table import Column, Table

from tessera import identities
from tessera.identity import overrides
from tessera.identity.scoring import Parameters
from tessera.settings import Identity


def say_word(
    connection: duckdb.DuckDBPyConnection,
    action: str,
    accounts: tuple[str, str],
    reason: str | None,
    now: datetime,
) -> str:
    """Keep an operator's `merge` or `split` of two accounts; a line for people.

    Raises LookupError for an account that the last run does not know, OverrideRefused for a word
    that contradicts another.
    """
    rows = connection.execute(
        "select key from enriched.identities where kind = 'account'"
        " union select key from enriched.identities where kind = 'email' and key = customer_id"
    ).fetchall()
    unknown = [account for account in accounts if (account,) not in set(rows)]
    if unknown:
        raise LookupError(
            f"no account {unknown[0]} in the last run. `tessera customers find` prints the "
            "pseudonym of an exported id, e-mail address, telephone number or handle"
        )
    number = overrides.say(connection, action, accounts, "operator", reason, now)
    return f"Override {number}: {action} of {accounts[0]} and {accounts[1]}. `make run` applies it"


def undo_word(
    connection: duckdb.DuckDBPyConnection, number: int, reason: str | None, now: datetime
) -> str:
    """Take an override back; a line for people. Raises OverrideRefused for an unknown number."""
    word = overrides.undo(connection, number, "operator", reason, now)
    return f"Override {number} ({word.action}) is taken back. `make run` restores what was"


def report(connection: duckdb.DuckDBPyConnection, rows: int) -> list[Table]:
    """For the terminal: doubtful pairs of the last run by revenue, and standing overrides."""
    doubts = connection.execute(
        "select account_l, account_r, match_weight, is_joined, reason, revenue_at_stake "
        "from enriched.identity_doubts "
        "where as_of = (select max(as_of) from enriched.identities) "
        "order by revenue_at_stake desc, account_l, account_r limit ?",
        [rows],
    ).fetchall()
    pairs = Table(Column("accounts", min_width=32), "weight", "one?", "because", "at stake")
    for left, right, weight, is_joined, reason, revenue in doubts:
        pairs.add_row(
            f"{left}\n{right}",
            f"{weight:.1f}",
            "yes" if is_joined else "no",
            reason,
            f"{revenue:,.2f}",
        )
    words = Table("no.", "word", Column("accounts", min_width=32), "said", "reason")
    for o in overrides.standing_overrides(connection):
        said = f"{o.recorded_at:%Y-%m-%d}"
        both = f"{o.account_l}\n{o.account_r}"
        words.add_row(str(o.override_id), o.action, both, said, o.reason or "")
    return [pairs, words]


def explain(
    connection: duckdb.DuckDBPyConnection,
    accounts: tuple[str, str],
    told: Identity,
    artifacts: Path,
    secret: str = "",
) -> tuple[Table, Path]:
    """What each comparison adds to the match weight of two accounts, and Splink's chart of it.

    No value of theirs is shown, only how far they agree. Raises LookupError where nothing was
    learned or an account is not known.
    """
    from tessera.identity.explain import explain as explain_pair

    as_of, parameters = _last_weighed(connection)
    identities.gather(connection, as_of)
    page = artifacts / "identity" / f"{accounts[0][:8]}-{accounts[1][:8]}.html"
    found = explain_pair(
        connection,
        "identity_contacts",
        parameters,
        accounts,
        identities.rules_of(told),
        page,
        identities.salt_of(secret, told),
    )
    shown = Table("comparison", "agreement", "bits", caption=f"match weight {found.weight:.2f}")
    for part in found.parts:
        shown.add_row(part.name, part.level, f"{part.weight:+.2f}")
    return shown, page


def draw_weights(connection: duckdb.DuckDBPyConnection, artifacts: Path) -> Path | None:
    """Splink's chart of the weights that the last run weighed with; None where it had none."""
    from tessera.identity.scoring import draw_weights as draw

    page = artifacts / "identity" / "index.html"
    try:
        _, parameters = _last_weighed(connection)
    except LookupError:
        page.unlink(missing_ok=True)
        return None
    draw(connection, parameters, page)
    return page


def _last_weighed(connection: duckdb.DuckDBPyConnection) -> tuple[date, Parameters]:
    """The latest run and its parameters. Raises LookupError where it weighed nothing."""
    runs = connection.execute(
        "select as_of, told from ops.identity_runs order by rowid desc limit 1"
    ).fetchall()
    parameters = json.loads(runs[0][1]).get("parameters") if runs else None
    if not parameters:
        raise LookupError("the last run weighed nothing: there is nothing to explain")
    return runs[0][0], Parameters(**parameters)
