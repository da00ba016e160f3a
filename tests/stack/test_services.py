"""Who may do what in the running stack: containers, ports, logins, roles of PostgreSQL."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.stack.compose import STAY_UP, Stack, http

pytestmark = pytest.mark.stack


def test_containers_run_without_root_without_capabilities_on_a_file_system_read_only(
    stack: Stack,
) -> None:
    for service in STAY_UP:
        status = stack.execute(service, "cat", "/proc/1/status")
        told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert "0" not in told["Uid"].split(), service
        assert int(told["CapEff"], 16) == 0 and int(told["CapBnd"], 16) == 0, service
        assert told["NoNewPrivs"].strip() == "1", service
        assert stack.inspect(service, "{{.HostConfig.ReadonlyRootfs}}") == "true", service
        assert int(stack.inspect(service, "{{.HostConfig.Memory}}")) > 0, service


def test_the_code_cannot_be_changed_by_what_runs(stack: Stack) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        stack.execute("scheduler", "touch", "/opt/tessera/tessera/new.py")


def test_process_one_is_tini(stack: Stack) -> None:
    assert "init" in stack.execute("scheduler", "cat", "/proc/1/comm")


def test_only_user_interfaces_are_published_and_on_loopback(stack: Stack) -> None:
    for service in STAY_UP:
        ports = json.loads(stack.inspect(service, "{{json .NetworkSettings.Ports}}"))
        published = [at for places in ports.values() for at in places or []]
        assert all(at["HostIp"] == "127.0.0.1" for at in published), (service, published)
        assert bool(published) == (service in ("api-server", "superset")), service


@pytest.mark.parametrize("path", ["/api/v2/dags", "/api/v2/connections", "/api/v2/variables"])
def test_the_api_wants_a_login(stack: Stack, path: str) -> None:
    code, _ = http("GET", stack.address() + path)
    assert code in (401, 403)
    assert stack.ask("GET", path)[0] == 200


def test_a_wrong_password_gives_no_token(stack: Stack) -> None:
    with pytest.raises(ValueError, match="no token"):
        stack.log_in(password="admin")


def test_a_viewer_looks_and_starts_nothing(stack: Stack) -> None:
    stack.execute(
        "api-server", "airflow", "users", "create", "--role", "Viewer", "--username", "looker",
        "--password", "for-the-test-only", "--firstname", "L", "--lastname", "O",
        "--email", "looker@localhost",
    )  # fmt: skip
    token = stack.log_in("looker", "for-the-test-only")
    assert stack.ask("GET", "/api/v2/dags", token=token)[0] == 200
    body = {"logical_date": None}
    assert stack.ask("POST", "/api/v2/dags/extract_crm/dagRuns", body, token=token)[0] == 403
    paused = {"is_paused": False}
    assert stack.ask("PATCH", "/api/v2/dags/extract_crm", paused, token=token)[0] == 403


@pytest.mark.parametrize("database", ["airflow", "postgres", "template1"])
@pytest.mark.parametrize("role", ["tessera_bi", "tessera_ops"])
def test_the_roles_of_tessera_enter_their_own_database_only(
    stack: Stack, role: str, database: str
) -> None:
    assert stack.sql("select current_database()", role, "tessera").strip() == "tessera"
    with pytest.raises(subprocess.CalledProcessError) as refused:
        stack.sql("select 1", role, database)
    assert "permission denied for database" in refused.value.stderr
