"""The demo company: simulates its people in chunks and writes what its systems would export."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import duckdb
import numpy as np

from tessera.demo import (
    app_use,
    bots,
    browsing,
    campaigns,
    catalogue,
    contacts,
    dirt,
    exports,
    people,
    provider,
    purchases,
    service,
    social,
    testers,
)  # fmt: skip
from tessera.demo.columns import Columns, concat, rows, spread_ids, take
from tessera.demo.people import People
from tessera.demo.purchases import Purchases
from tessera.demo.season import Window
from tessera.demo.spool import Spool
from tessera.demo.streams import Streams
from tessera.demo.truth import Truth

CHUNK = 25_000  # customers simulated at once: about 2.5 million web events
FEWEST_DAYS, MOST_DAYS = 7, 3650
MOST_CUSTOMERS = 9_999_999  # ids have seven digits


def write(
    connection: duckdb.DuckDBPyConnection,
    out: Path,
    truth: Path,
    customers: int = 5000,
    days: int = 730,
    seed: int = 42,
    file_format: Literal["exports", "parquet"] = "exports",
) -> dict[str, int]:
    """Write the exports of a simulated company to `out` and the truth about it to `truth`.

    The window is the `days` days up to 2025-12-31. Equal arguments give equal bytes. The connection
    serves as engine only (an in-memory one will do); no table is left in it. Files of the same
    name are replaced, others are left alone.

    Returns the number of rows per export (copies of re-sent files not counted).
    Raises ValueError if an argument is out of range or `truth` lies inside `out`.
    """
    _check(out, truth, customers, days, seed, file_format)
    window = Window(days)
    products = catalogue.draw(Streams(seed).of("catalogue"))
    sizes = [min(CHUNK, customers - start) for start in range(0, customers, CHUNK)]
    population = people.concat(
        [people.draw(Streams(seed, chunk), window, size) for chunk, size in enumerate(sizes)]
    )
    kinds = exports.build(products, people.emails(population), people.handles(population))
    text = file_format == "exports"
    spool = Spool(connection, out, kinds, window.months, text)
    company = _Company(window, products, population, social.gather(population), spool, text)
    company.spool.add("products", products.columns() | {"dirt": _zeros(products.columns())})
    for chunk, size in enumerate(sizes):
        company.simulate(Streams(seed, chunk), chunk * CHUNK, size)
    spool.close()
    dirt.resend(out, spool.files, company.truth.notes)
    if text:
        dirt.widen(Streams(seed).of("files"), out, spool.files, company.truth.notes)
    company.truth.write(connection, truth)
    return dict(spool.written)


def _check(out: Path, truth: Path, customers: int, days: int, seed: int, file_format: str) -> None:
    if not 1 <= customers <= MOST_CUSTOMERS:
        raise ValueError(f"customers must lie between 1 and {MOST_CUSTOMERS}, not {customers}")
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        raise ValueError(f"days must lie between {FEWEST_DAYS} and {MOST_DAYS}, not {days}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, not {seed}")
    if file_format not in ("exports", "parquet"):
        raise ValueError(f"file_format must be 'exports' or 'parquet', not '{file_format}'")
    if truth.resolve().is_relative_to(out.resolve()):
        raise ValueError(f"the truth must not lie among the exports: {truth} is inside {out}")


def _zeros(columns: Columns) -> np.ndarray:
    return np.zeros(rows(columns), dtype=np.int8)


@dataclass
class _Company:
    """What the chunks share, and the numbers already given to their rows."""

    window: Window
    products: catalogue.Catalogue
    population: People
    crowd: social.Crowd
    spool: Spool
    text: bool
    truth: Truth = field(default_factory=Truth)
    given: dict[str, int] = field(default_factory=dict)

    def simulate(self, streams: Streams, first: int, size: int) -> None:
        """Simulate accounts `first` … `first + size − 1` and hand their rows to the spool."""
        here = self.population.slice(first, first + size)
        bought = purchases.simulate(streams.of("purchases"), self.window, here, self.products)
        self.truth.add_people(self.window, here, bought, first)
        soiling = streams.of("dirt")
        first_order = self._shop(streams, soiling, bought, first)
        self._web(streams, soiling, here, bought, (first, first_order))
        self._crm_and_campaigns(streams, soiling, here, bought, first)
        self._social(streams, soiling, here, bought, first)
        self._service(streams, soiling, here, bought, first)

    def _number(self, kind: str, count: int) -> int:
        """Reserve `count` numbers of a kind and return the first."""
        start = self.given.get(kind, 1)
        self.given[kind] = start + count
        return start

    def _emit(self, rng: np.random.Generator, kind: str, columns: Columns) -> None:
        """Plant dirt in finished rows, note it and hand them on."""
        keys = self.spool.exports[kind].key
        notes = self.truth.notes
        columns = dirt.spoil(rng, kind, columns, self.text)
        at = columns["at_ms"] // 1000 if "at_ms" in columns else columns.get("at")
        if at is not None and "{month}" in self.spool.exports[kind].file:
            columns |= {"month": self.window.month_of(at)}
            columns = dirt.delay(rng, self.window, kind, columns, notes, keys)
        dirt.note_spoiled(notes, kind, columns, keys)
        self.spool.add(kind, dirt.repeat(rng, kind, columns, notes, keys))

    def _shop(
        self, streams: Streams, soiling: np.random.Generator, bought: Purchases, first: int
    ) -> int:
        """Emit orders, lines and refunds, test orders among them; return the first order number."""
        accounts = min(len(self.population) - first, CHUNK)
        tests, test_lines = testers.simulate(
            streams.of("files"), self.window, self.products, bought.orders, accounts
        )
        count = rows(bought.orders)
        start = self._number("order", count + rows(tests))
        orders = concat([bought.orders, tests])
        orders |= {
            "number": start + np.arange(rows(orders), dtype=np.int64),
            "email": first + orders["person"],
            "account": first + orders["account"],
            "is_test": np.arange(rows(orders)) >= count,
        }
        self.truth.tests.append({"number": orders["number"][count:]})
        lines = concat([bought.lines, test_lines | {"order": test_lines["order"] + count}])
        lines |= {"number": start + lines["order"], "at": orders["at"][lines["order"]]}
        refunds = dict(bought.refunds)
        refunds["number"] = start + refunds["order"]
        first_refund = self._number("refund", rows(refunds))
        refunds["refund"] = first_refund + np.arange(rows(refunds), dtype=np.int64)
        self._emit(soiling, "orders", orders)
        self._emit(soiling, "order_lines", lines)
        self._emit(soiling, "refunds", refunds)
        return start

    def _web(
        self,
        streams: Streams,
        soiling: np.random.Generator,
        here: People,
        bought: Purchases,
        firsts: tuple[int, int],
    ) -> None:
        first, first_order = firsts
        start = self.given.setdefault("message", 1)
        context = browsing.Context(self.window, here, self.products, bought, first, start)
        human = browsing.simulate(streams.of("browsing"), context)
        self._number("message", rows(human))
        robots, visits = bots.simulate(
            streams.of("bots"), self.window, self.products, rows(human), self.given["message"]
        )
        self._number("message", rows(robots))
        self.truth.bots.append(visits)
        events = concat([human, robots])
        message = spread_ids(events.pop("number"), salt=3)
        order, account = events.pop("order"), events["account"]
        events |= {
            "message": message,
            "type": events["event"],
            "account": np.where(account >= 0, account + first, -1).astype(np.int32),
            "number": np.where(order >= 0, order + first_order, -1).astype(np.int32),
        }
        self._emit(soiling, "web_events", events)

    def _crm_and_campaigns(
        self,
        streams: Streams,
        soiling: np.random.Generator,
        here: People,
        bought: Purchases,
        first: int,
    ) -> None:
        rng = streams.of("contacts")
        crm = contacts.simulate(rng, self.window, here, first)
        known = provider.simulate(streams.of("provider"), here, crm)
        self.spool.add("demographics", known | {"dirt": _zeros(known)})
        places = dict.fromkeys(("city", "postal_code", "country", "calling"), crm.pop("place"))
        self._emit(soiling, "contacts", crm | places | {"email": crm["account"]})
        consents = contacts.simulate_consents(rng, self.window, here)
        sent = campaigns.simulate(streams.of("campaigns"), self.window, here, bought, consents)
        left = take(sent, sent["event"] == campaigns.UNSUBSCRIBED)
        consents = concat([consents, contacts.withdrawals(left)])
        by_account = np.lexsort((consents["changed_at"], consents["account"]))
        consents = take(consents, by_account)
        self._emit(soiling, "consents", consents | {"account": consents["account"] + first})
        self._emit(soiling, "campaign_events", sent | {"account": sent["account"] + first})

    def _social(
        self,
        streams: Streams,
        soiling: np.random.Generator,
        here: People,
        bought: Purchases,
        first: int,
    ) -> None:
        start = self.given.get("post", 1)
        posts = social.simulate_posts(
            streams.of("posts"), self.window, here, self.products, bought, self.crowd,
            (first, start),
        )  # fmt: skip
        self._number("post", rows(posts))
        self._emit(soiling, "posts", posts)
        rng = streams.of("follows")
        follows = social.simulate_follows(rng, self.window, here, self.crowd, first)
        self._emit(soiling, "follows", follows)

    def _service(
        self,
        streams: Streams,
        soiling: np.random.Generator,
        here: People,
        bought: Purchases,
        first: int,
    ) -> None:
        start = self.given.get("app", 1)
        used = app_use.simulate(streams.of("app"), self.window, here, bought, start)
        self._number("app", rows(used))
        self._emit(soiling, "app_events", used | {"account": used["account"] + first})
        start = self.given.get("ticket", 1)
        rng = streams.of("support")
        tickets = service.simulate_tickets(rng, self.window, here, bought, start)
        self._number("ticket", rows(tickets))
        email = np.where(tickets["by_email"], tickets["account"] + first, -1)
        tickets |= {"email": email, "account": tickets["account"] + first}
        self._emit(soiling, "tickets", tickets)
        start = self.given.get("answer", 1)
        answers = service.simulate_answers(streams.of("surveys"), self.window, here, bought, start)
        self._number("answer", rows(answers))
        self._emit(soiling, "survey_answers", answers | {"account": answers["account"] + first})
