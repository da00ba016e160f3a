"""Object stores: a real HTTP server that speaks S3, and plain folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tessera.ingest.fetch.failure import FetchFailed
from tessera.ingest.fetch.fetch import Fetched, fetch
from tessera.ingest.fetch.settings import Fetch

KEYS = {"S3_KEY": "test-key-of-the-store", "S3_SECRET": "hidden-secret-of-the-store"}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Fetched]:
    """Fetch a uri as the source `shop`."""

    def go(uri: str, **options: Any) -> Fetched:
        inbox, state = tmp_path / "inbox", tmp_path / "state"
        return fetch(uri, Fetch(**options), "shop", inbox, state, KEYS.__getitem__)

    return go


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str) -> Any:
    store = boto3.resource(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["S3_KEY"],
        aws_secret_access_key=KEYS["S3_SECRET"],
    )
    made = store.create_bucket(Bucket="exports")
    yield made
    made.objects.all().delete()


def s3_options(endpoint: str) -> dict[str, Any]:
    return {"key": "{secret:S3_KEY}", "secret": "{secret:S3_SECRET}", "endpoint_url": endpoint}


def landed(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "inbox" / "shop"
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_s3_brings_what_is_new_or_changed_and_nothing_else(run, bucket, endpoint, tmp_path):
    bucket.put_object(Key="shop/2026-01/orders.csv", Body=b"id\n1\n")
    bucket.put_object(Key="shop/2026-02/orders.csv", Body=b"id\n2\n")
    bucket.put_object(Key="shop/2026-02/notes.txt", Body=b"no export")
    uri, options = "s3://exports/shop/*/orders*.csv", s3_options(endpoint)

    assert run(uri, options=options).files == ("2026-01/orders.csv", "2026-02/orders.csv")
    assert run(uri, options=options).files == ()

    bucket.put_object(Key="shop/2026-02/orders.csv", Body=b"id\n2\n3\n")
    bucket.put_object(Key="shop/2026-03/orders.csv", Body=b"id\n4\n")
    again = run(uri, options=options)
    assert again.files == ("2026-02/orders.csv", "2026-03/orders.csv")
    assert again.bytes == 12
    assert landed(tmp_path) == {
        ".replaced/2026-02/orders.csv.1": "id\n2\n",
        "2026-01/orders.csv": "id\n1\n",
        "2026-02/orders.csv": "id\n2\n3\n",
        "2026-03/orders.csv": "id\n4\n",
    }


def test_s3_refuses_with_a_message_that_holds_no_key(run, bucket, endpoint):
    with pytest.raises(FetchFailed, match=r"from s3://nowhere/\*: nothing is there") as raised:
        run("s3://nowhere/*", options=s3_options(endpoint))
    assert not any(value in str(raised.value) for value in KEYS.values())


def test_a_folder_is_taken_whole_but_for_unfinished_and_hidden_files(run, tmp_path):
    outside = tmp_path / "dropped"
    (outside / "deep").mkdir(parents=True)
    for name in ("a.csv", "deep/b.csv", "c.csv.part", ".hidden.csv"):
        (outside / name).write_text(name)
    assert run(f"file://{outside}/").files == ("a.csv", "deep/b.csv")
    assert run(str(outside)).files == ()


def test_a_single_file_is_taken_by_its_name(run, tmp_path):
    (tmp_path / "orders.csv").write_text("id\n1\n")
    assert run(str(tmp_path / "orders.csv")).files == ("orders.csv",)


def test_a_crash_before_the_state_is_saved_brings_nothing_twice(run, tmp_path, monkeypatch):
    outside = tmp_path / "dropped"
    outside.mkdir()
    (outside / "a.csv").write_text("id\n1\n")
    run(str(outside / "*.csv"))
    (tmp_path / "state" / "shop.json").unlink()
    assert run(str(outside / "*.csv")).files == ()
    assert landed(tmp_path) == {"a.csv": "id\n1\n"}


def test_one_file_that_does_not_come_is_named_and_the_others_land(run, tmp_path, monkeypatch):
    from fsspec.implementations.local import LocalFileSystem

    outside = tmp_path / "dropped"
    outside.mkdir()
    for name in ("a.csv", "b.csv", "c.csv"):
        (outside / name).write_text(name)
    open_file = LocalFileSystem.open

    def failing(self: Any, path: str, *args: Any, **kwargs: Any) -> Any:
        if path.endswith("b.csv"):
            raise PermissionError(f"not yours: {path}")
        return open_file(self, path, *args, **kwargs)

    monkeypatch.setattr(LocalFileSystem, "open", failing)
    with pytest.raises(FetchFailed, match=r"1 of the files did not come, 2 did: b.csv: not yours"):
        run(str(outside / "*.csv"))
    monkeypatch.undo()
    assert run(str(outside / "*.csv")).files == ("b.csv",)


def test_a_name_that_leaves_the_inbox_is_refused(run, tmp_path, monkeypatch):
    from tessera.ingest.fetch import stores

    (tmp_path / "a.csv").write_text("id\n1\n")
    found = stores.Object(str(tmp_path / "a.csv"), "../../a.csv", 5, "mark")
    monkeypatch.setattr(stores, "_found", lambda *args, **kwargs: [found])
    with pytest.raises(FetchFailed, match="no file of the inbox can be called so"):
        run(str(tmp_path / "*.csv"))
