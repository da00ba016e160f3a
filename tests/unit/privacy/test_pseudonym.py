from __future__ import annotations

import hashlib
import hmac

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.privacy.pseudonym import define_function, fingerprint, pseudonym

KEYS = ("k" * 32, "ключ" * 10, "longer than a block of the hash " * 4)


@given(
    key=st.sampled_from(KEYS),
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=20),
)
@settings(deadline=None, max_examples=30)
def test_sql_and_python_agree(key: str, texts: list[str]) -> None:
    with duckdb.connect() as connection:
        define_function(connection, key)
        found = connection.execute(
            "select pseudonym('customer', identifier) from (select unnest($1::varchar[]))"
            " as told (identifier)",
            [texts],
        ).fetchall()
    assert [row[0] for row in found] == [pseudonym(key, "customer", text) for text in texts]


def test_it_is_hmac_shortened() -> None:
    whole = hmac.new(b"k" * 32, b"email:ada@example.org", hashlib.sha256).hexdigest()
    assert pseudonym("k" * 32, "email", "ada@example.org") == whole[:32]


def test_namespaces_and_keys_keep_apart() -> None:
    made = {pseudonym(key, space, "ada") for key in KEYS for space in ("email", "handle")}
    assert len(made) == 2 * len(KEYS)


def test_nothing_has_no_pseudonym(connection: duckdb.DuckDBPyConnection) -> None:
    define_function(connection, "k" * 32)
    assert connection.execute("select pseudonym('email', null)").fetchall() == [(None,)]


def test_the_function_belongs_to_its_connection(connection: duckdb.DuckDBPyConnection) -> None:
    define_function(connection, "k" * 32)
    with pytest.raises(duckdb.CatalogException, match="pseudonym does not exist"):
        connection.cursor().execute("select pseudonym('email', 'ada')")


def test_the_fingerprint_gives_nothing_away() -> None:
    key = "k" * 32
    assert len(fingerprint(key)) == 16 and fingerprint(key) not in (key, fingerprint("l" * 32))
    assert fingerprint(key) == fingerprint(key)
