"""A Docker engine, the image, and a stack of its own for the tests of tests/stack."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.compose import Stack, wait

ENGINE = Path(__file__).parent / "engine"
NO_ENGINE = 3
STAYS = "STACK_PROJECT"
EXTRACTS = ("extract_crm", "extract_clickstream", "extract_social")
CUSTOMERS, DAYS = 300, 200
FIRST_DAY = "2025-10-20"


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """A Docker engine with the base images: the one that runs, or one for these tests alone."""
    done = subprocess.run([ENGINE / "start"], capture_output=True, text=True, check=False)
    if done.returncode == NO_ENGINE:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    yield
    if done.stdout.strip():
        os.kill(int(done.stdout), signal.SIGTERM)


def compose_command() -> tuple[str, ...]:
    """docker-compose 1.29 or `docker compose`, whichever is there; STACK_COMPOSE names another."""
    if named := os.environ.get("STACK_COMPOSE"):
        return tuple(named.split())
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    if subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False
    ).returncode:
        pytest.skip("neither docker-compose nor `docker compose` is installed")
    return ("docker", "compose")


def settings(env_file: Path) -> dict[str, str]:
    """Where the secrets lie; the engine chooses the ports."""
    return {"ENV_FILE": str(env_file), "UI_PORT": "0", "BI_PORT": "0"}


@pytest.fixture(scope="session")
def stack(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack as `make up` starts it on a clean machine, and nothing left of it afterwards.

    STACK_PROJECT and STACK_ENV name one that runs already, has published, and stays: to write
    tests with.
    """
    if running := os.environ.get(STAYS):
        env_file = Path(os.environ["STACK_ENV"])
        yield Stack(running, env_file, compose_command(), settings=settings(env_file))
        return
    folder = tmp_path_factory.mktemp("stack")
    project = f"tessera-test-{secrets.token_hex(3)}"
    made = Stack(
        project,
        folder / ".env",
        compose_command(),
        settings={"TESSERA_IMAGE": f"{project}:one", **settings(folder / ".env")},
    )
    try:
        made.make("up", timeout=2400)
        made.up()
        yield made
    finally:
        made.down()
        for image in (f"{project}:one", f"{project}:two"):
            subprocess.run(["docker", "image", "rm", image], capture_output=True, check=False)


@pytest.fixture(scope="session")
def exports(stack: Stack) -> Stack:
    """The stack with the exports of a demo company in its inbox."""
    if STAYS in os.environ:
        return stack
    size = ("--customers", str(CUSTOMERS), "--days", str(DAYS), "--truth", "/tmp/truth")
    stack.execute("scheduler", "tessera", "demo", *size)
    return stack


@pytest.fixture(scope="session")
def loaded(exports: Stack) -> Stack:
    """The exports loaded by runs that the API started, the features built by their assets."""
    if STAYS in os.environ:
        return exports
    exports.pause("build_customer_360", False)
    for dag_id in EXTRACTS:
        exports.pause(dag_id, False)
    started = {dag_id: exports.trigger(dag_id) for dag_id in EXTRACTS}
    for dag_id, run_id in started.items():
        exports.finish(dag_id, run_id)
    builds = wait("an asset starts a build", lambda: exports.runs("build_customer_360"))
    exports.finish("build_customer_360", builds[0]["dag_run_id"])
    return exports


@pytest.fixture(scope="session")
def weekly_run(loaded: Stack) -> Stack:
    """The stack after its first weekly run."""
    if STAYS in os.environ:
        return loaded
    switch_on_without_the_run_that_is_due(loaded, "recluster_weekly")
    loaded.run("recluster_weekly", as_of=FIRST_DAY)
    return loaded


@pytest.fixture(scope="session")
def published(weekly_run: Stack) -> Stack:
    """The same, for those who look at what it published."""
    return weekly_run


def switch_on_without_the_run_that_is_due(stack: Stack, dag_id: str) -> None:
    """A DAG that is switched on starts at once for the day of today; here the days are chosen.

    While the pool has no slot that run cannot begin, and is given up.
    """
    stack.set_pool(0)
    stack.pause(dag_id, False)
    due = wait(f"the schedule of {dag_id} fires", lambda: stack.runs(dag_id))
    assert [run["run_type"] for run in due] == ["scheduled"]
    path = f"/api/v2/dags/{dag_id}/dagRuns/{due[0]['dag_run_id']}"
    code, answer = stack.ask("PATCH", path, {"state": "failed"})
    assert code == 200, answer
    stack.set_pool(1)
