"""Secrets of the settings, as a task finds them."""

from __future__ import annotations

import pytest


@pytest.fixture
def secret(dag_bag):
    from tessera_airflow.operators import secret

    return secret


def test_the_environment_goes_before_a_connection(secret, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_API", "https://:of-the-connection@api.example.com")
    assert secret("SHOP_API") == "of-the-connection"
    monkeypatch.setenv("SHOP_API", "of-the-environment")
    assert secret("SHOP_API") == "of-the-environment"


def test_what_neither_has_is_not_found(secret) -> None:
    with pytest.raises(LookupError, match="NOWHERE"):
        secret("NOWHERE")
