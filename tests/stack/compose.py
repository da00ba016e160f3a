"""The stack of docker-compose.yml under a project name of its own, and what one asks it."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENDED = ("success", "failed")
STAY_UP = ("postgres", "api-server", "scheduler", "dag-processor", "triggerer", "superset")


def wait(what: str, met: Callable[[], Any], seconds: float = 600, every: float = 1) -> Any:
    """The first true answer of `met`; AssertionError, with what was said last, after `seconds`.

    The limits here end what hangs. They are many times what a quiet machine needs.
    """
    until = time.monotonic() + seconds
    last: Any = None
    while time.monotonic() < until:
        try:
            if last := met():
                return last
        except (OSError, subprocess.CalledProcessError, KeyError, ValueError) as error:
            last = error
        time.sleep(every)
    raise AssertionError(f"{what}: not within {seconds:.0f} s; last seen: {last!r}")


@dataclass
class Stack:
    """One project of compose."""

    project: str
    env_file: Path
    command: tuple[str, ...] = ("docker-compose",)
    settings: dict[str, str] = field(default_factory=dict)
    _token: str = ""

    # --- compose ---------------------------------------------------------------------------

    @property
    def compose_line(self) -> list[str]:
        """Compose with this project's name and secrets."""
        return [*self.command, "--project-name", self.project, "--env-file", str(self.env_file)]

    @property
    def environment(self) -> dict[str, str]:
        """The shell's environment with the settings of this project."""
        return {**os.environ, "COMPOSE_HTTP_TIMEOUT": "300", **self.settings}

    def compose(self, *arguments: str, timeout: float = 1200, told: str | None = None) -> str:
        """Run compose and return what it prints."""
        return self._run([*self.compose_line, *arguments], timeout, told)

    def make(self, target: str, *variables: str, timeout: float = 1200) -> str:
        """`make TARGET`, as a person runs it, on this project."""
        line = f"COMPOSE={' '.join(self.compose_line)}"
        return self._run(["make", "--no-print-directory", target, line, *variables], timeout)

    def execute(self, service: str, *command: str, timeout: float = 1200, told: str = "") -> str:
        """Run a command in a service's container."""
        return self._run(["docker", "exec", "-i", self.container(service), *command], timeout, told)

    def container(self, service: str) -> str:
        """The id of a service's container."""
        labels = {"project": self.project, "service": service, "oneoff": "False"}
        filters = [f"--filter=label=com.docker.compose.{k}={v}" for k, v in labels.items()]
        found = self._run(["docker", "ps", "--all", "--quiet", *filters], 60).split()
        if len(found) != 1:
            raise ValueError(f"{len(found)} containers of {service}")
        return found[0]

    def inspect(self, service: str, of: str) -> str:
        """What the engine says about a container, by a template."""
        return self.engine("inspect", "-f", of, self.container(service)).strip()

    def engine(self, *arguments: str) -> str:
        """What docker itself says."""
        return self._run(["docker", *arguments], 120)

    def logs(self, service: str) -> str:
        """All that a service has printed, on both streams."""
        line = ["docker", "logs", self.container(service)]
        return subprocess.run(
            line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
        ).stdout

    def copy_out(self, path: str, to: Path) -> Path:
        """A file of the scheduler's volumes, links followed."""
        source = f"{self.container('scheduler')}:{path}"
        self._run(["docker", "cp", "-L", source, str(to)], 120)
        return to

    def _run(self, command: list[str], timeout: float, told: str | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            input=told,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            raise subprocess.CalledProcessError(
                done.returncode, command[:8], done.stdout[-2000:], done.stderr[-4000:]
            )
        return done.stdout

    def up(self, seconds: float = 900) -> None:
        """Start everything and wait until each service that stays is healthy."""
        self.compose("up", "--detach")
        for service in STAY_UP:
            self.wait_healthy(service, seconds)

    def kill_main_process(self, service: str) -> None:
        """SIGKILL to what process 1, tini, has started; the engine starts the service again."""
        began = self.inspect(service, "{{.State.StartedAt}}")
        script = (
            "for at in /proc/[0-9]*; do "
            'case "$(cat $at/stat 2>/dev/null)" in '
            '*") "?" 1 "*) kill -KILL ${at#/proc/};; esac; done'
        )
        subprocess.run(
            ["docker", "exec", self.container(service), "bash", "-c", script],
            capture_output=True,
            check=False,
        )
        template = "{{.State.StartedAt}}"
        wait(f"{service} is started again", lambda: self.inspect(service, template) != began)

    def forget_login(self) -> None:
        """Log in again with the next request."""
        self._token = ""

    def wait_healthy(self, service: str, seconds: float = 900) -> None:
        """Wait for a service's own healthcheck."""
        template = "{{.State.Health.Status}}"
        try:
            wait(service, lambda: self.inspect(service, template) == "healthy", seconds)
        except AssertionError as late:
            told = self.compose("logs", "--tail", "40", service)
            raise AssertionError(f"{late}\n{told}") from None

    def down(self) -> None:
        """Remove the containers and all the data."""
        self.compose("down", "--volumes", "--remove-orphans")

    def secrets(self) -> dict[str, str]:
        """What the env file holds."""
        lines = self.env_file.read_text("utf-8").splitlines()
        return dict(x.split("=", 1) for x in lines if x and not x.startswith("#"))

    def sql(self, query: str, role: str = "airflow", database: str = "airflow") -> str:
        """Ask PostgreSQL over TCP, with the role's password: tab-separated, no header."""
        names = {"airflow": "POSTGRES_PASSWORD", "tessera_bi": "TESSERA_BI_PASSWORD",
                 "tessera_ops": "TESSERA_OPS_PASSWORD"}  # fmt: skip
        password = f"PGPASSWORD={self.secrets()[names[role]]}"
        psql = ("psql", "-h", "postgres", "-v", "ON_ERROR_STOP=1", "-U", role, "-d", database)
        return self.execute("postgres", "env", password, *psql, "-XAt", "-F", "\t", "-c", query)

    # --- Airflow's API ---------------------------------------------------------------------

    def address(self, service: str = "api-server", port: int = 8080) -> str:
        """Where a published port is reached."""
        told = self._run(["docker", "port", self.container(service), str(port)], 60)
        return f"http://{told.split()[0]}"

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> tuple[int, Any]:
        """One request to Airflow's API, with the admin's token unless another is given."""
        headers = {"Content-Type": "application/json"}
        if token is None:
            token = self._token = self._token or self.log_in()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return http(method, self.address() + path, body, headers)

    def log_in(self, user: str = "admin", password: str | None = None) -> str:
        """A token of Airflow's API."""
        credentials = {"username": user, "password": password or self.secrets()["ADMIN_PASSWORD"]}
        code, answer = http("POST", self.address() + "/auth/token", credentials)
        if code not in (200, 201):
            raise ValueError(f"no token for {user}: {code} {answer}")
        return str(answer["access_token"])

    def pause(self, dag_id: str, paused: bool) -> None:
        """Switch a DAG on or off."""
        code, answer = self.ask("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": paused})
        assert code == 200, answer

    def trigger(self, dag_id: str, **conf: str) -> str:
        """Start a run by hand; its id."""
        body = {"logical_date": None, "conf": conf}
        code, answer = self.ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)
        assert code == 200, answer
        return str(answer["dag_run_id"])

    def run(self, dag_id: str, seconds: float = 2400, **conf: str) -> str:
        """Start a run by hand and wait for its end; its id."""
        run_id = self.trigger(dag_id, **conf)
        self.finish(dag_id, run_id, seconds)
        return run_id

    def set_pool(self, slots: int) -> None:
        """How many tasks at once may open the warehouse."""
        path = "/api/v2/pools/warehouse?update_mask=slots"
        body = {"pool": "warehouse", "slots": slots, "include_deferred": False}
        code, answer = self.ask("PATCH", path, body)
        assert code == 200, answer

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The runs of a DAG, oldest first."""
        path = f"/api/v2/dags/{dag_id}/dagRuns?limit=100&order_by=run_after"
        code, answer = self.ask("GET", path)
        assert code == 200, answer
        return list(answer["dag_runs"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """The tasks of a run by name."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100"
        code, answer = self.ask("GET", path)
        assert code == 200, answer
        return {task["task_id"]: task for task in answer["task_instances"]}

    def finish(self, dag_id: str, run_id: str, seconds: float = 2400) -> None:
        """Wait for the end of a run, which must be a success."""

        def ended() -> str:
            code, answer = self.ask("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")
            assert code == 200, answer
            return answer["state"] if answer["state"] in ENDED else ""

        state = wait(f"{dag_id} {run_id}", ended, seconds)
        assert state == "success", self.what_failed(dag_id, run_id)

    def what_failed(self, dag_id: str, run_id: str) -> str:
        """The end of the log of the tasks of a run that did not succeed."""
        told = []
        for name, task in self.tasks(dag_id, run_id).items():
            if task["state"] == "failed":
                path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{name}/logs"
                _, answer = self.ask("GET", f"{path}/{task['try_number']}")
                told.append(f"{name}: {json.dumps(answer)[-3000:]}")
        return "\n".join(told) or "no task failed"


def http(
    method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """One request: status and answer, as JSON where it is."""
    request = urllib.request.Request(
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            code, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        code, text = refused.code, refused.read().decode()
    try:
        return code, json.loads(text)
    except ValueError:
        return code, text
