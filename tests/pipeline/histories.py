"""What a small company's systems export over time: every kind, with its corrections."""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tessera.ingest.kinds import KINDS

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 240
Row = dict[str, object]


@dataclass(frozen=True)
class Told:
    """A row of an export, and when the system that exports it first knew it."""

    kind: str
    known_at: datetime
    row: Row


def settings_text() -> str:
    """Settings in which every kind is a folder of JSON lines with columns of their own names."""
    parts = []
    for name, kind in KINDS.items():
        columns = "\n".join(f'{column} = "{column}"' for column in kind.columns)
        parts.append(
            f'[sources.{name}]\nkind = "{name}"\nfiles = "{name}/*"\n'
            f"[sources.{name}.columns]\n{columns}\n"
        )
    return "\n".join(parts)


def write(inbox: Path, rows: list[Told], name: str) -> None:
    """Write the rows as one file a kind, of that name."""
    lines: dict[str, list[str]] = defaultdict(list)
    for told in rows:
        lines[told.kind].append(json.dumps(told.row, default=datetime.isoformat))
    for kind, told_lines in lines.items():
        (inbox / kind).mkdir(parents=True, exist_ok=True)
        (inbox / kind / f"{name}.jsonl").write_text("\n".join(told_lines) + "\n")


def history(seed: int, people: int = 40) -> list[Told]:
    """All that is ever exported, in no order; the same for the same seed."""
    return list(_Company(random.Random(seed), people).tell())


class _Company:
    """People c0, c1 …; e-mail addresses and handles are few, so that people share and swap them."""

    def __init__(self, chance: random.Random, people: int) -> None:
        self.chance = chance
        self.people = [f"c{number}" for number in range(people)]
        self.emails = [f"m{number}@example.org" for number in range(people)]
        self.handles = [f"h{number}" for number in range(people)]

    def tell(self) -> Iterator[Told]:
        for number, person in enumerate(self.people):
            yield from self.contact(person, number)
        makers = (self.consent, self.demographics, self.order, self.ticket, self.answer, self.send)
        for make in (*makers, self.visit, self.app_use, self.post, self.profile, self.follow):
            for number in range(4 * len(self.people)):
                yield from make(number)
        for number in range(5):
            product = {"product_id": f"p{number}", "category": f"k{number % 2}", "list_price": 5}
            yield Told("products", BEGIN, product)

    def moment(self, after: datetime = BEGIN) -> datetime:
        """Later than `after`, on one of the days; often at midnight sharp."""
        seconds = self.chance.choice([0, 0, 1, self.chance.randrange(86_400)])
        left = max(DAYS - (after - BEGIN).days, 1)
        day = after.replace(hour=0, minute=0, second=0) + timedelta(self.chance.randrange(left))
        return max(day + timedelta(seconds=seconds), after + timedelta(seconds=1))

    def somebody(self) -> Row:
        """By id, by address, or both."""
        who = {
            "customer_id": self.chance.choice(self.people),
            "email": self.chance.choice(self.emails),
        }
        return {key: who[key] for key in self.chance.choice([["customer_id"], ["email"], [*who]])}

    def versions(
        self, kind: str, at: str, first: Row, began: datetime, *changes: Row
    ) -> Iterator[Told]:
        """A row, and the same row changed later, each with the time of its change."""
        moment, row = began, first
        yield Told(kind, moment, {**row, at: moment})
        for change in changes:
            moment, row = self.moment(moment), {**row, **change}
            yield Told(kind, moment, {**row, at: moment})

    def contact(self, person: str, number: int) -> Iterator[Told]:
        began = self.moment()
        row = {"customer_id": person, "email": self.emails[number], "handle": self.handles[number]}
        row |= {"first_name": f"N{number}", "city": "Here", "created_at": began}
        moved = {"city": "There", "email": self.chance.choice(self.emails)}
        renamed = {"handle": self.chance.choice(self.handles)}
        changes = [moved, renamed][: self.chance.randrange(3)]
        yield from self.versions("contacts", "updated_at", row, began, *changes)

    def consent(self, number: int) -> Iterator[Told]:
        at = self.moment()
        purpose = self.chance.choice(["analytics", "email"])
        row = {**self.somebody(), "purpose": purpose, "changed_at": at}
        if number % 3 == 0:
            yield Told("consents", at, {**row, "is_granted": self.chance.random() < 0.7})

    def demographics(self, number: int) -> Iterator[Told]:
        at = self.moment()
        email = self.chance.choice(self.emails)
        by_hash = {"email_hash": hashlib.sha256(email.encode()).hexdigest()}
        who = self.chance.choice([self.somebody(), by_hash])
        band = self.chance.choice(["18-29", "30-44", "45-59"])
        row = {**who, "age_band": band, "household_size": number % 5 + 1, "updated_at": at}
        yield Told("demographics", at, row)

    def order(self, number: int) -> Iterator[Told]:
        at = self.moment()
        order = f"o{number}"
        row = {"order_id": order, **self.somebody(), "ordered_at": at, "status": "paid"}
        row["total_amount"] = self.chance.randrange(1, 200)
        changes = [{"status": "cancelled"}, {"status": "paid", "is_test": True}]
        changes = changes[: max(self.chance.randrange(6) - 3, 0)]
        yield from self.versions("orders", "updated_at", row, at, *changes)
        for line in range(self.chance.randrange(3)):
            sold = {"order_id": order, "line_id": str(line), "product_id": f"p{line}"}
            sold |= {
                "quantity": 2,
                "unit_price": self.chance.randrange(1, 50),
                "discount_amount": 1,
            }
            fewer = [{"quantity": 1}][: self.chance.randrange(2)]
            yield from self.versions("order_lines", "updated_at", sold, at, *fewer)
        if number % 7 == 0:
            back = self.moment(at)
            refund = {"refund_id": f"r{number}", "order_id": order, "refunded_at": back}
            yield Told("refunds", back, {**refund, "amount": 1})

    def ticket(self, number: int) -> Iterator[Told]:
        at = self.moment()
        row = {"ticket_id": f"t{number}", **self.somebody(), "opened_at": at, "status": "open"}
        closed = self.moment(at)
        yield Told("tickets", at, {**row, "updated_at": at})
        row |= {"closed_at": closed, "satisfaction": number % 5 + 1, "status": "closed"}
        yield Told("tickets", closed, {**row, "updated_at": closed})

    def answer(self, number: int) -> Iterator[Told]:
        at = self.moment()
        row = {"response_id": f"s{number}", **self.somebody(), "answered_at": at}
        yield Told("survey_answers", at, {**row, "nps": number % 11})

    def send(self, number: int) -> Iterator[Told]:
        who, campaign = self.somebody(), f"k{number % 3}"
        moment = BEGIN
        for event in ("sent", "opened", "clicked")[: self.chance.randrange(4)]:
            moment = self.moment(moment)
            row = {"campaign_id": campaign, **who, "channel": "email", "event": event}
            yield Told("campaign_events", moment, {**row, "occurred_at": moment})

    def visit(self, number: int) -> Iterator[Told]:
        at = self.moment()
        device = f"d{self.chance.randrange(2 * len(self.people))}"
        who = self.chance.choice([None, None, self.chance.choice(self.people)])
        for step in range(self.chance.randrange(1, 6)):
            at += timedelta(minutes=self.chance.choice([1, 29, 31]))
            row = {"event_id": f"e{number}-{step}", "event_type": "track", "anonymous_id": device}
            name = self.chance.choice(["Product Viewed", "Product Added", "Order Completed"])
            row |= {"customer_id": who, "event_name": name, "product_id": "p1", "occurred_at": at}
            yield Told("web_events", at, row)

    def app_use(self, number: int) -> Iterator[Told]:
        at = self.moment()
        row: Row = {"event_id": f"a{number}", "event_name": "open", "occurred_at": at}
        row |= {"device_id": f"d{number % 20}", "session_id": f"s{number}", "duration_seconds": 60}
        row["customer_id"] = self.chance.choice([None, self.chance.choice(self.people)])
        yield Told("app_events", at, row)

    def post(self, number: int) -> Iterator[Told]:
        at = self.moment()
        row: Row = {"post_id": f"x{number}", "network": "x", "posted_at": at, "likes": number % 9}
        by = self.chance.randrange(len(self.handles))
        author = self.chance.choice([{"author_handle": self.handles[by]}, {"author_id": str(by)}])
        row |= {**author, "text": f"What a great day number {number} this is"}
        edited = [{"text": f"I hate day number {number}", "likes": 50}][: number % 2]
        yield from self.versions("posts", "edited_at", row, at, *edited)

    def profile(self, number: int) -> Iterator[Told]:
        at = self.moment()
        author = self.chance.randrange(len(self.handles))
        row: Row = {"author_id": str(author), "network": "x", "followers": number, "following": 1}
        handle = self.chance.choice([self.handles[author], self.chance.choice(self.handles)])
        yield Told("profiles", at, {**row, "handle": handle, "seen_at": at})

    def follow(self, number: int) -> Iterator[Told]:
        at = self.moment()
        follower, followed = self.chance.choices(self.handles, k=2)
        row: Row = {"follower_handle": follower, "followed_handle": followed, "followed_at": at}
        yield Told("follows", at, row)
