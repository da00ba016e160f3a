"""Sources with a URI: fetched, then loaded, by the step that the settings' page shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import duckdb
import psycopg2
import pytest
from moto.server import ThreadedMotoServer

from tessera import settings
from tessera.loads import NotFetched
from tessera.steps import run_step
from tests.conftest import ROOT, shared
from tests.unit.ingest.fetch.served import Api, Params, postgresql

ORDERS = b"id,sku,quantity,price,created_at,customer\n1,A,2,9.90,2026-01-02 10:00:00,7\n"
SECRETS = {
    "S3_KEY": "key-of-the-store",
    "S3_SECRET": "secret-of-the-store",
    "SHOP_DB_PASSWORD": "password-of-the-database",
    "X_BEARER": "bearer-of-the-api",
    "META_TOKEN": "token-of-the-graph",
}


@pytest.fixture
def store() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    bucket = boto3.resource(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=SECRETS["S3_KEY"],
        aws_secret_access_key=SECRETS["S3_SECRET"],
    ).create_bucket(Bucket="my-exports")
    bucket.put_object(Key="shop/2026-01/orders-1.csv", Body=ORDERS)
    yield address
    server.stop()


@pytest.fixture
def database() -> Iterator[str]:
    with postgresql() as server:
        make_customers(server.get_uri())
        yield server.get_uri().replace("postgres:@", "postgres@")


def make_customers(uri: str) -> None:
    with psycopg2.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(
            "create table customers (id int, email text, created_at timestamptz, updated_at "
            "timestamptz); insert into customers values (7, 'a@example.com', '2026-01-01', now())"
        )


@pytest.fixture
def api() -> Iterator[Api]:
    first = (shared("formats") / "x-api-v2" / "2sets.jsonl").read_text("utf-8").splitlines()[0]
    page = json.loads(first)
    page["meta"].pop("next_token")
    graph = shared("formats") / "facebook-instagram-graph"
    post = json.loads((graph / "post-with-normal-comments.json").read_text("utf-8"))

    def answer(path: str, params: Params) -> Any:
        if path.endswith("/feed"):
            following = f"{served.url}{path}?access_token={params['access_token']}&after=a"
            paging = {} if "after" in params else {"next": following}
            return {"data": [] if "after" in params else [post], "paging": paging}
        return {"meta": {"result_count": 0}} if "since_id" in params else page

    served = Api(answer)
    served.start()
    yield served
    served.stop()


@pytest.fixture
def told(
    store: str, database: str, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> settings.Settings:
    """The settings of the page, with the addresses of servers that are there."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    page = (ROOT / "docs" / "how-to" / "sources.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    for there, here in {
        "https://s3.eu-central-1.amazonaws.com": store,
        "postgresql://reader@db.example.com:5432/shop?sslmode=require": database,
        "https://api.x.com": api.url,
        "https://graph.facebook.com": api.url,
    }.items():
        assert there in text
        text = text.replace(there, here)
    file = tmp_path / "settings.toml"
    file.write_text(f'data_dir = "{tmp_path / "data"}"\nsettle_seconds = 0\n{text}')
    return settings.load(file)


def count(told: settings.Settings, query: str) -> int:
    with duckdb.connect(told.warehouse_file, read_only=True) as connection:
        (found,) = connection.execute(query).fetchone() or (0,)
    return int(found)


def test_the_example_of_the_page_is_fetched_and_loaded_once(told: settings.Settings) -> None:
    for expected in ("2 new files, 2 rows loaded", "0 new files, 0 rows loaded"):
        assert expected in run_step("load_crm", told)
    assert count(told, "select count(*) from raw.order_lines where unit_price = '9.90'") == 1
    assert count(told, "select count(*) from raw.contacts where email = 'a@example.com'") == 1
    run_step("load_social", told)
    assert count(told, "select count(*) from raw.posts where _source = 'posts'") >= 100
    assert count(told, "select count(*) from raw.posts where _source = 'facebook'") == 2
    posts = count(told, "select count(*) from raw.posts")
    run_step("load_social", told)
    assert count(told, "select count(*) from raw.posts") == posts


def test_a_source_that_fails_stops_no_other_and_is_named(
    told: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_DB_PASSWORD")
    with pytest.raises(
        NotFetched,
        match=r"contacts, from postgresql://.*SHOP_DB_PASSWORD is not known.*1 rows loaded",
    ):
        run_step("load_crm", told)
    assert count(told, "select count(*) from raw.order_lines") == 1
    assert (
        count(told, "select count(*) from ops.step_runs where summary like 'failed: contacts%'")
        == 1
    )
    # What failed is made good by the next run.
    monkeypatch.setenv("SHOP_DB_PASSWORD", SECRETS["SHOP_DB_PASSWORD"])
    assert "1 new files, 1 rows loaded" in run_step("load_crm", told)


def test_no_secret_is_anywhere(told: settings.Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    run_step("load_crm", told)
    run_step("load_social", told)
    written = b"".join(path.read_bytes() for path in told.data_dir.rglob("*") if path.is_file())
    assert b"a@example.com" in written  # it was looked at
    for name, value in SECRETS.items():
        assert value.encode() not in written, name
        assert value not in caplog.text, name
