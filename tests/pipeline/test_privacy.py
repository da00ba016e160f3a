"""Identifiers planted in every export are found in raw, quarantine and the vault, and nowhere else.

The pipeline runs whole, with Airflow, on the demo company and a few people more, of whom every
export says who they are. Then every row of every table, and every file that a run writes, is
searched for them, for plain hashes of them, and for the key.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

from tessera.ingest.kinds import KINDS
from tessera.privacy.pseudonym import pseudonym
from tests.pipeline.conftest import ROOT, Finished, make_run, tessera

MAY_KNOW = {"raw", "quarantine"}
VAULT = ("staging", "stg_vault__identifiers")
PEOPLE = 3
# What each identifier of a person looks like; the number tells the people apart.
PLANTED = {
    "customer_id": "Planted.Customer{n}@shop.example",
    "email": "planted.person{n}@mail.example",
    "phone": "+49 30 5550{n}00",
    "first_name": "Plantagenesta{n}",
    "last_name": "Vonderplanting{n}",
    "birth_date": "19{n}1-0{n}-0{n}",
    "street": "Plantation Row 77{n}",
    "postal_code": "PLZ-9{n}9{n}9",
    "handle": "@planted_handle{n}",
    "external_id": "LOYAL-PLANTED-88{n}",
    "author_id": "770077007{n}",
    "display_name": "Planta Display{n}",
    "location": "behind the planted tree {n}",
    "ip": "203.0.113.7{n}",
    "text": "planted words of a post {n}, call +49 30 5550{n}00",
    "subject": "planted subject {n}",
    "body": "planted body {n}",
    "comment": "planted comment {n}",
    "reason": "planted reason {n}",
}
ALIKE = {"author_handle": "handle", "follower_handle": "handle", "anonymous_id": "email"}
# Columns that hold an identifier among other things, or in another form.
MIXED = {
    "path": "/account/planted.person{n}@mail.example?email=planted.person{n}%40mail.example",
    "referrer": "https://mail.example/?from=planted.person{n}@mail.example",
    "mentions": '["@planted_handle{n}"]',
    "followed_handle": "planted_handle9",
}
USUAL = {
    "order_id": "PO{n}", "line_id": "1", "product_id": "P1", "event_id": "PE{n}",
    "purpose": "email", "campaign_id": "K1", "event": "sent",
    "event_name": "Product Viewed", "event_type": "track",
    "ticket_id": "PT{n}", "response_id": "PR{n}", "refund_id": "PF{n}", "post_id": "PP{n}",
    "currency": "EUR", "status": "paid", "category": "Things", "network": "x", "channel": "email",
    "is_test": "false", "is_refund": "false", "user_agent": "Mozilla/5.0", "country": "DE",
    "product_name": "Thing", "age_band": "50-59",
}  # fmt: skip
TYPED = {
    "timestamp": "2025-11-0{n}T10:00:00Z", "date": "1951-02-0{n}", "decimal": "9.50",
    "double": "3", "bigint": "3", "boolean": "true",
}  # fmt: skip


def planted(column: str, n: int) -> str | None:
    """What the export of person n says in an identifying column; None: it identifies nobody."""
    template = MIXED.get(column) or PLANTED.get(ALIKE.get(column, column))
    return template.format(n=n) if template else None


def value(kind: str, column: str, n: int) -> str:
    """One cell of a planted export."""
    if column == "email_hash":
        return hashlib.sha1(planted("email", n).encode()).hexdigest()  # type: ignore[union-attr]
    if kind == "demographics" and column in ("customer_id", "email"):
        return ""  # known by the hash only
    if kind == "consents" and column == "customer_id":
        return ""  # known by the address only
    told = planted(column, n) or USUAL.get(column, "").format(n=n)
    return told or TYPED.get(KINDS[kind].columns[column].type, "").format(n=n)


def write_exports(inbox: Path) -> str:
    """A file of every kind, each with the people and a row that is refused; their settings."""
    sections = []
    inbox.mkdir()
    for kind, spec in KINDS.items():
        rows = [[value(kind, column, n) for column in spec.columns] for n in range(1, PEOPLE + 1)]
        with (inbox / f"{kind}.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerows([list(spec.columns), *rows])
            # Refused: one row with a column too many, one whose dates and numbers are addresses.
            writer.writerow([*rows[0], "planted.person1@mail.example"])
            writer.writerow(
                [
                    cell if spec.columns[column].type == "text" else "planted.person1@mail.example"
                    for column, cell in zip(spec.columns, rows[0], strict=True)
                ]
            )
        columns = "\n".join(f'{column} = "{column}"' for column in spec.columns)
        sections.append(
            f'[sources.planted_{kind}]\nkind = "{kind}"\nfiles = "planted/{kind}.csv"\n'
            f"[sources.planted_{kind}.columns]\n{columns}\n"
        )
    return "\n".join(sections)


def needles() -> list[str]:
    """What must not be found, in lower case: each identifier, plain hashes of the short ones."""
    found = set()
    for template in PLANTED.values():
        for n in range(1, PEOPLE + 1):
            clear = template.format(n=n)
            found |= {clear.lower(), clear.lower().removeprefix("@")}
    hashed = {
        hashlib.new(algorithm, identifier.encode()).hexdigest()
        for identifier in found
        for algorithm in ("md5", "sha1", "sha256")
    }
    return sorted(found | hashed)


def leaks(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The needles that stand anywhere in the rows of a table, whatever the column."""
    rows = connection.execute(
        f"""
        select distinct needle from (select unnest($1) as needle)
        join (select lower(cast(row_of as varchar)) as told from {table} as row_of)
        on contains(told, needle) order by needle
        """,
        [needles()],
    ).fetchall()
    return [row[0] for row in rows]


def tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Schema and name of every table and view."""
    return connection.execute(
        "select table_schema, table_name from information_schema.tables order by all"
    ).fetchall()


@pytest.fixture(scope="module")
def run(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    data = tmp_path_factory.mktemp("privacy")
    shutil.copytree(small_demo, data / "inbox")
    sections = write_exports(data / "inbox" / "planted")
    settings = data / "settings.toml"
    settings.write_text((ROOT / "settings.toml").read_text("utf-8") + "\n" + sections)
    done = make_run(data, str(settings))
    assert done.code == 0, done.output
    return done


@pytest.fixture
def warehouse(run: Finished) -> Iterator[duckdb.DuckDBPyConnection]:
    file = run.data / "warehouse" / "tessera.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        yield connection


def test_they_were_planted(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Each identifier stands in raw and, but for what nobody needs to find again, in the vault."""
    everywhere = {needle for kind in KINDS for needle in leaks(warehouse, f"raw.{kind}")}
    clear = {t.format(n=n).lower() for t in PLANTED.values() for n in range(1, PEOPLE + 1)}
    assert clear <= everywhere
    assert leaks(warehouse, "quarantine.rows")
    kept = set(leaks(warehouse, ".".join(VAULT)))
    for name in ("customer_id", "email", "phone", "last_name", "street", "body", "comment"):
        assert PLANTED[name].format(n=1).lower() in kept, name


def test_no_table_past_raw_but_the_vault_knows_them(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    found = {
        f"{schema}.{name}": leaks(warehouse, f"{schema}.{name}")
        for schema, name in tables(warehouse)
        if schema not in MAY_KNOW and (schema, name) != VAULT
    }
    assert len(found) > 40
    assert {table: told for table, told in found.items() if told} == {}


def test_the_people_themselves_arrive(run: Finished, warehouse: duckdb.DuckDBPyConnection) -> None:
    """Else there would be nothing to leak. Their id is the pseudonym of an e-mail address."""
    key = (run.data / "pseudonym.key").read_text().strip()
    expected = {pseudonym(key, "customer", f"planted.customer{n}@shop.example") for n in (1, 2, 3)}
    rows = warehouse.execute(
        "select customer_id from features.customer_features"
        " where age_band = '50-59' and has_orders and has_support and has_survey and has_social"
    ).fetchall()
    assert {row[0] for row in rows} == expected
    consents = (
        "select count(*) from features.customer_consents where list_contains($1, customer_id)"
    )
    assert warehouse.execute(consents, [sorted(expected)]).fetchall() == [(3,)]


def test_nothing_published_knows_them(run: Finished) -> None:
    published = run.data / "published"
    with duckdb.connect(str((published / "segments.duckdb").resolve()), read_only=True) as found:
        told = {name: leaks(found, f"{schema}.{name}") for schema, name in tables(found)}
        told |= {str(p): leaks(found, f"'{p}'") for p in published.rglob("*.parquet")}
    assert len(told) >= 6 and {name: what for name, what in told.items() if what} == {}


def files_of(run: Finished) -> list[Path]:
    """What a run writes, but for exports, the warehouse, and the key itself."""
    apart = ("inbox", "demo-truth", "warehouse", "settings.toml", "pseudonym.key")
    return [
        file
        for file in run.data.rglob("*")
        if file.is_file() and file.relative_to(run.data).parts[0] not in apart
    ]


def in_files(files: list[Path], sought: list[bytes]) -> list[str]:
    pattern = re.compile(b"|".join(map(re.escape, sought)))
    return [
        f"{file}: {match.group()!r}"
        for file in files
        if (match := pattern.search(file.read_bytes().lower()))
    ]


def test_no_artifact_log_or_page_knows_them(run: Finished) -> None:
    files = files_of(run)
    names = {file.name for file in files}
    assert {"manifest.json", "dbt.log", "run.log", "index.html"} <= names
    assert in_files(files, [needle.encode() for needle in needles()]) == []


def test_the_terminal_tells_nothing(run: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")  # broken lines would hide what they break
    doctor = tessera(run.data, "doctor").stdout
    assert "planted/contacts.csv" in doctor
    for told in (run.output, doctor):
        assert [needle for needle in needles() if needle in told.lower()] == []


def test_she_is_found_by_her_address(run: Finished) -> None:
    key = (run.data / "pseudonym.key").read_text().strip()
    told = tessera(run.data, "customers", "find", "Planted.Person1@mail.example").stdout
    assert told.startswith(pseudonym(key, "customer", "planted.customer1@shop.example"))
    assert ", as of 20" in told and "planted" not in told
    assert tessera(run.data, "customers", "find", "nobody@example.org").returncode == 1


def test_the_key_is_nowhere_but_in_its_file(run: Finished) -> None:
    key = (run.data / "pseudonym.key").read_text().strip().encode()
    padded = [bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C)]
    files = [*files_of(run), *(run.data / "warehouse").iterdir()]
    sought = [key, *padded, *(pad.hex().encode() for pad in padded)]
    assert in_files(files, [word.lower() for word in sought]) == []
    assert key.decode() not in run.output


@pytest.mark.parametrize("form", ["as it is", "inside a text", "in a list", "hashed"])
def test_a_leak_is_noticed(connection: duckdb.DuckDBPyConnection, form: str) -> None:
    email = "Planted.Person2@mail.example"
    leak: object = {
        "as it is": email,
        "inside a text": f"she wrote from {email}!",
        "in a list": ["a", email],
        "hashed": hashlib.sha1(email.lower().encode()).hexdigest(),
    }[form]
    connection.execute("create table clean as select 7 as number, 'nothing' as told")
    connection.execute("create table leaking as select 7 as number, $1 as told", [leak])
    assert leaks(connection, "clean") == []
    assert leaks(connection, "leaking")


def test_a_leaking_file_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("Could not convert 'Planted.Person2@mail.example'")
    assert in_files([tmp_path / "log"], [needle.encode() for needle in needles()])


# --- the tags ----------------------------------------------------------------------------------


def tagged() -> set[tuple[str, str]]:
    """(kind, column) of raw that the sources' metadata call an identifier."""
    text = (ROOT / "dbt_project/models/staging/_sources.yml").read_text("utf-8")
    raw = next(source for source in yaml.safe_load(text)["sources"] if source["name"] == "raw")
    return {
        (table["name"], column["name"])
        for table in raw["tables"]
        for column in table.get("columns", [])
        if "identifier" in column.get("config", {}).get("meta", {})
    }


def test_every_identifying_column_of_raw_is_tagged() -> None:
    columns = {(kind, column) for kind, spec in KINDS.items() for column in spec.columns}
    identifying = {
        (kind, column) for kind, column in columns if planted(column, 1) or column == "email_hash"
    }
    assert tagged() == identifying


def test_no_check_shows_values_of_an_identifying_column() -> None:
    """Great Expectations shows samples of what row-wise expectations find."""
    from expectations.exports.suites import KINDS as CHECKED
    from expectations.exports.suites import suite

    shown = {
        (kind, check.arguments["column"])
        for kind in CHECKED
        for check in suite(kind).checks
        if "column" in check.arguments and check.expectation != "ExpectColumnValuesToNotBeNull"
    }
    assert shown and shown & tagged() == set()
