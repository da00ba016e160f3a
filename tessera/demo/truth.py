"""The truth about the company: who people are, what they really bought, what was planted.

The pipeline never reads it; it is for measuring the pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from tessera import sql
from tessera.demo import personas, purchases
from tessera.demo.catalogue import CATEGORIES
from tessera.demo.columns import Columns, concat, words
from tessera.demo.dirt import Notes
from tessera.demo.people import People
from tessera.demo.purchases import Purchases
from tessera.demo.season import Window

_RFM = """recency_days, frequency, gross_cents, refund_cents, monetary_cents"""
_MONEY = "({0} * 0.01::DECIMAL(2,2))::DECIMAL(14,2)"
_CUSTOMERS = f"""
    SELECT 'C' || lpad(account::VARCHAR, 7, '0') AS customer_id,
           'P' || lpad(person::VARCHAR, 7, '0') AS person_id, persona, community,
           CASE WHEN recency_days >= 0 THEN recency_days END AS recency_days, frequency,
           {_MONEY.format("gross_cents")} AS gross_revenue,
           {_MONEY.format("refund_cents")} AS refunds,
           {_MONEY.format("monetary_cents")} AS monetary
    FROM source
"""
_PERSONS = _CUSTOMERS.replace("""'C' || lpad(account::VARCHAR, 7, '0') AS customer_id,""", "") + (
    "WHERE account = person"
)
_BOTS = """
    SELECT lpad(lower(to_hex(anonymous)), 16, '0') AS anonymous_id, is_crawler, events FROM source
"""
_TESTS = "SELECT 'ORD-' || lpad(number::VARCHAR, 8, '0') AS order_id FROM source"


@dataclass
class Truth:
    """Collects the truth chunk by chunk."""

    accounts: list[Columns] = field(default_factory=list)
    persons: list[Columns] = field(default_factory=list)
    bots: list[Columns] = field(default_factory=list)
    tests: list[Columns] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)

    def add_people(self, window: Window, people: People, bought: Purchases, first: int) -> None:
        """Add the accounts of one chunk with their RFM: per account without guest checkouts,
        per person with them and over all of her accounts.
        """
        orders = bought.orders
        who = {
            "account": first + np.arange(len(people)),
            "person": first + people.person.astype(np.int64),
            "persona": people.persona,
            # Those who follow and mention one another; without a handle she is in none.
            "community": np.where(people.has_handle, people.favourite, -1),
        }
        own = purchases.rfm(window, bought, orders["account"], len(people), ~orders["is_guest"])
        self.accounts.append(who | own)
        self.persons.append(who | purchases.rfm(window, bought, orders["person"], len(people)))

    def write(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        """Write the truth as Parquet files into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        noted = pa.table(
            {
                name: pa.array(getattr(self.notes, name), type=pa.string())
                for name in ("kind", "export", "key", "file")
            }
        )
        tables = (
            ("customers", _people(self.accounts), _CUSTOMERS),
            ("persons", _people(self.persons), _PERSONS),
            ("bots", pa.table(concat(self.bots)), _BOTS),
            ("test_orders", pa.table(concat(self.tests)), _TESTS),
            ("dirt", noted, "SELECT kind, export, key, file FROM source"),
        )
        for name, table, query in tables:
            connection.register("source", table)
            target = sql.text(str(folder / f"{name}.parquet"))
            connection.execute(f"COPY ({query}) TO {target} (FORMAT parquet)")
            connection.unregister("source")


def _people(parts: list[Columns]) -> pa.Table:
    columns = concat(parts)
    persona = pa.array([persona.name for persona in personas.PERSONAS])
    told = {
        "persona": words(columns["persona"], persona),
        "community": words(columns["community"], pa.array(list(CATEGORIES))),
    }
    return pa.table(columns | told)
