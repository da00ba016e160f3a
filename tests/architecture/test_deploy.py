"""The compose stack as compose itself reads it; nothing is started, no engine is needed."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SECRETS = (
    "POSTGRES_PASSWORD", "TESSERA_OPS_PASSWORD", "TESSERA_BI_PASSWORD", "SUPERSET_DB_PASSWORD",
    "ADMIN_PASSWORD", "SUPERSET_ADMIN_PASSWORD", "SUPERSET_SECRET_KEY", "FERNET_KEY",
    "API_SECRET_KEY", "JWT_SECRET", "PSEUDONYM_KEY",
)  # fmt: skip
ONE_SHOT = {"airflow-init", "databases"}
AIRFLOW = ("airflow-init", "api-server", "scheduler", "dag-processor", "triggerer")


def write_env(file: Path) -> dict[str, str]:
    """What deploy/write-env wrote."""
    subprocess.run([ROOT / "deploy" / "write-env", file], check=True, capture_output=True)
    return dict(line.split("=", 1) for line in settings_lines(file))


def settings_lines(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def compose_command() -> list[str]:
    """docker-compose 1.29 or the plugin of v2, whichever is there."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = ["docker", "compose"]
    if shutil.which("docker"):
        told = subprocess.run([*plugin, "version"], capture_output=True, check=False)
        if told.returncode == 0:
            return plugin
    pytest.skip("neither docker-compose nor `docker compose` is installed")


def compose_config(env_file: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """`docker-compose config` with nothing of this shell's environment."""
    places = ["--project-directory", str(ROOT), "--file", str(ROOT / "docker-compose.yml")]
    return subprocess.run(
        [*compose_command(), "--env-file", str(env_file), *places, "config"],
        env={"PATH": os.environ["PATH"], "HOME": str(env_file.parent), **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("deploy") / ".env"
    write_env(file)
    return file


@pytest.fixture(scope="module")
def stack(env_file: Path) -> dict[str, Any]:
    """docker-compose.yml with anchors, defaults and secrets filled in by compose."""
    done = compose_config(env_file)
    assert done.returncode == 0, done.stderr
    resolved: dict[str, Any] = yaml.safe_load(done.stdout)
    return resolved


@pytest.fixture(scope="module")
def services(stack: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack["services"]
    return found


@pytest.fixture(scope="module")
def as_written() -> dict[str, Any]:
    written: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return written


# --- secrets ---------------------------------------------------------------------------------


def test_the_example_holds_every_secret_and_the_value_of_none() -> None:
    assert settings_lines(ROOT / ".env.example") == [f"{name}=" for name in SECRETS]


def test_written_secrets_are_long_private_and_new_each_time(tmp_path: Path) -> None:
    first, second = write_env(tmp_path / "one"), write_env(tmp_path / "two")
    assert set(first) == set(SECRETS)
    assert all(len(value) >= 44 for value in first.values())
    assert len({*first.values(), *second.values()}) == 2 * len(SECRETS)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"], "no leftovers"


def test_secrets_have_the_form_that_their_readers_want(tmp_path: Path) -> None:
    fernet = pytest.importorskip("cryptography.fernet")
    for turn in range(6):  # `+` and `/` are in most keys, not in all
        written = write_env(tmp_path / f"{turn}")
        fernet.Fernet(written["FERNET_KEY"])
        assert len(bytes.fromhex(written["JWT_SECRET"])) == 64
        assert written["POSTGRES_PASSWORD"].isalnum(), "it becomes part of an address"


@pytest.mark.parametrize("end", ["\n", ""])
def test_an_older_env_file_keeps_its_secrets_and_gets_those_it_lacks(
    tmp_path: Path, end: str
) -> None:
    file = tmp_path / ".env"
    mine = "# mine\nPOSTGRES_PASSWORD=mine\nUI_PORT=9090\nADMIN_PASSWORD=" + end
    file.write_text(mine)
    file.chmod(0o640)
    written = write_env(file)
    assert file.read_text().startswith(mine)
    assert written["POSTGRES_PASSWORD"] == "mine" and len(written["ADMIN_PASSWORD"]) >= 44
    assert set(written) == {*SECRETS, "UI_PORT"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    once = file.read_text()
    write_env(file)
    assert file.read_text() == once, "nothing is missing any more"
    assert list(tmp_path.iterdir()) == [file], "no leftovers"


def test_an_env_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")
    subprocess.run([ROOT / "deploy" / "write-env", tmp_path / ".env"], check=True)
    assert not (tmp_path / "elsewhere").exists()


# That the other secrets are asked for in the same way is read from the file, further below.
@pytest.mark.parametrize(("secret", "how"), [("FERNET_KEY", "absent"), ("ADMIN_PASSWORD", "empty")])
def test_a_missing_secret_stops_compose_with_its_name_and_what_to_do(
    env_file: Path, tmp_path: Path, secret: str, how: str
) -> None:
    kept = [x for x in settings_lines(env_file) if not x.startswith(f"{secret}=")]
    poorer = tmp_path / ".env"
    poorer.write_text("\n".join([*kept, *([f"{secret}="] if how == "empty" else [])]) + "\n")
    done = compose_config(poorer)
    assert done.returncode != 0
    assert secret in done.stderr
    assert "deploy/write-env" in done.stderr


def test_no_secret_has_a_default_and_none_is_in_the_files(as_written: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    for name in SECRETS:
        uses = re.findall(r"\$\{" + name + r"(.)(.)", text)
        assert uses and set(uses) == {(":", "?")}, f"{name} must be refused when missing"
    environments = [s.get("environment", {}) for s in as_written["services"].values()]
    for environment in [*environments, as_written["x-airflow"]["environment"]]:
        for key, value in environment.items():
            if re.search(
                r"PASSWORD$|SECRET|FERNET_KEY|PSEUDONYM_KEY|SQL_ALCHEMY_CONN|_UR[IL]$", key
            ) and not key.endswith(("EXECUTION_API_SERVER_URL", "SEGMENTS_URI")):
                assert ":?" in value, f"{key} is written down"


@pytest.mark.parametrize(
    ("secret", "known_to"),
    [
        ("ADMIN_PASSWORD", {"airflow-init"}),
        ("PSEUDONYM_KEY", {"scheduler"}),
        ("TESSERA_OPS_PASSWORD", {"databases", "scheduler"}),
        ("TESSERA_BI_PASSWORD", {"databases"}),
        ("SUPERSET_DB_PASSWORD", {"databases", "superset"}),
        ("SUPERSET_ADMIN_PASSWORD", {"superset"}),
        ("SUPERSET_SECRET_KEY", {"superset"}),
    ],
)
def test_a_secret_is_known_to_those_who_need_it_only(
    env_file: Path, services: dict[str, Any], secret: str, known_to: set[str]
) -> None:
    value = dict(line.split("=", 1) for line in settings_lines(env_file))[secret]
    assert {name for name in services if value in str(services[name])} == known_to


def test_people_log_in(services: dict[str, Any]) -> None:
    for name in AIRFLOW:
        manager = services[name]["environment"]["AIRFLOW__CORE__AUTH_MANAGER"]
        assert manager.endswith("FabAuthManager"), name
    script = services["airflow-init"]["command"][-1]
    assert "airflow users create --role Admin --username admin" in script
    # What .env says counts, also when the user was made with an older password.
    assert script.index("users create") < script.index("users reset-password")


@pytest.mark.parametrize("key", ["FERNET_KEY", "API_SECRET_KEY", "JWT_SECRET"])
def test_airflow_services_share_their_keys(
    env_file: Path, services: dict[str, Any], key: str
) -> None:
    value = dict(line.split("=", 1) for line in settings_lines(env_file))[key]
    assert all(value in services[name]["environment"].values() for name in AIRFLOW)


# --- what is started -------------------------------------------------------------------------


def test_these_services_and_no_other(services: dict[str, Any]) -> None:
    assert set(services) == {"postgres", "databases", "superset", *AIRFLOW}


def test_every_service_that_stays_up_is_watched_and_comes_back(services: dict[str, Any]) -> None:
    for name in set(services) - ONE_SHOT:
        assert services[name]["healthcheck"]["test"][0] == "CMD", name
        assert services[name]["restart"] == "unless-stopped", name
    for name in ONE_SHOT:
        assert services[name]["restart"] == "no", name


def test_services_start_in_order(services: dict[str, Any]) -> None:
    def waits(name: str) -> dict[str, str]:
        return {n: d["condition"] for n, d in services[name]["depends_on"].items()}

    for name in ONE_SHOT:
        assert waits(name) == {"postgres": "service_healthy"}
    for name in ("scheduler", "superset"):
        assert waits(name)["databases"] == "service_completed_successfully"
    for name in set(AIRFLOW) - ONE_SHOT:
        assert waits(name)["airflow-init"] == "service_completed_successfully"
    assert waits("scheduler")["api-server"] == "service_healthy"


def test_init_migrates_and_makes_the_pool_that_the_operator_uses(services: dict[str, Any]) -> None:
    operators = (ROOT / "plugins" / "tessera_airflow" / "operators.py").read_text("utf-8")
    pool = re.search(r'^WAREHOUSE_POOL = "(\w+)"', operators, re.MULTILINE)
    assert pool
    script = services["airflow-init"]["command"][-1]
    assert script.index("airflow db migrate") < script.index(f"airflow pools set {pool[1]} 1 ")


def published_ports(services: dict[str, Any]) -> dict[str, list[str]]:
    """Ports as `address:port:container_port`; v1 says them as text, v2 as mappings."""

    def told(port: Any) -> str:
        if isinstance(port, str):
            return port.removesuffix("/tcp")
        return f"{port.get('host_ip', '0.0.0.0')}:{port['published']}:{port['target']}"

    return {n: [told(p) for p in s["ports"]] for n, s in services.items() if s.get("ports")}


def test_only_user_interfaces_are_published_and_on_loopback(services: dict[str, Any]) -> None:
    assert published_ports(services) == {
        "api-server": ["127.0.0.1:8080:8080"], "superset": ["127.0.0.1:8088:8088"]
    }  # fmt: skip


def test_address_port_and_folders_are_settings(env_file: Path, tmp_path: Path) -> None:
    changed = compose_config(
        env_file, UI_ADDRESS="10.0.0.7", UI_PORT="9090", BI_PORT="9091", INBOX_DIR=str(tmp_path)
    )
    services = yaml.safe_load(changed.stdout)["services"]
    assert published_ports(services) == {
        "api-server": ["10.0.0.7:9090:8080"], "superset": ["10.0.0.7:9091:8088"]
    }  # fmt: skip
    assert mounts(services["scheduler"])["/data/inbox"] == str(tmp_path)


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Source by target; v1 says mounts as text, v2 as mappings."""
    pairs = [
        v.split(":")[:2] if isinstance(v, str) else (v["source"], v["target"])
        for v in service["volumes"]
    ]
    return {target: source for source, target in pairs}


def test_data_lies_in_named_volumes_that_only_the_tasks_see(stack: dict[str, Any]) -> None:
    services = stack["services"]
    assert set(stack["volumes"]) == {
        "metadata", "logs", "inbox", "state", "warehouse", "artifacts", "published"
    }  # fmt: skip
    folders = ("inbox", "state", "warehouse", "artifacts", "published")
    data = {f"/data/{name}": name for name in folders}
    told = mounts(services["scheduler"])
    assert {target: told[target] for target in data} == data
    for name in set(AIRFLOW) - {"scheduler"}:
        assert mounts(services[name]) == {"/opt/airflow/logs": "logs"}, name
    assert mounts(services["superset"]) == {"/data/published": "published"}
    assert "ro" in str(services["superset"]["volumes"][0]), "it reads and writes nothing"


def test_no_service_has_privileges(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert service.get("user") not in ("root", "0"), name
    assert services["postgres"]["user"] == "postgres"


def test_no_service_writes_beside_its_volumes_or_takes_the_whole_machine(
    services: dict[str, Any],
) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["mem_limit"], name
        assert int(service["pids_limit"]) > 0, name
        # An engine refuses to give more cores than it has.
        assert float(service.get("cpus", 1)) <= 1, name
    for name in AIRFLOW:
        assert {mount.split(":")[0] for mount in services[name]["tmpfs"]} == {
            "/tmp", "/opt/airflow"
        }  # fmt: skip
        assert services[name]["init"] is True, "tini reaps what tasks leave behind"


def test_one_service_builds_the_image_that_all_use(services: dict[str, Any]) -> None:
    builds = [name for name in services if "build" in services[name]]
    assert builds == ["airflow-init", "superset"], "superset is of another image"
    assert len({services[name]["image"] for name in AIRFLOW}) == 1


def test_airflow_knows_every_option_we_set(services: dict[str, Any]) -> None:
    """A misspelt AIRFLOW__ variable is ignored in silence: read Airflow's own list."""
    package = importlib.util.find_spec("airflow")  # found, not imported
    assert package and package.origin
    airflow = Path(package.origin).parent
    known = (airflow / "config_templates" / "config.yml").read_text("utf-8")
    provider = runpy.run_path(str(airflow / "providers" / "openlineage" / "get_provider_info.py"))
    options = {**yaml.load(known, yaml.CSafeLoader), **provider["get_provider_info"]()["config"]}
    set_in_image = re.findall(r"(AIRFLOW__\w+)=", (ROOT / "Dockerfile").read_text("utf-8"))
    set_in_stack = [k for name in AIRFLOW for k in services[name]["environment"]]
    for variable in {k for k in (*set_in_image, *set_in_stack) if k.startswith("AIRFLOW__")}:
        _, section, option = variable.lower().split("__")
        assert option in options[section]["options"], variable


# --- the image -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """(instruction, arguments), continuation lines joined."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [(w, r) for w, _, r in (line.partition(" ") for line in text.splitlines()) if w]


def test_the_image_runs_as_nobody_special_and_is_watched(
    dockerfile: list[tuple[str, str]],
) -> None:
    last_stage = dockerfile[max(i for i, (word, _) in enumerate(dockerfile) if word == "FROM") :]
    users = [rest for word, rest in last_stage if word == "USER"]
    assert users == ["50000:0"]
    assert any(word == "HEALTHCHECK" and "CMD" in rest for word, rest in last_stage)
    after = last_stage[last_stage.index(("USER", users[0])) :]
    assert not [word for word, _ in after if word in ("RUN", "COPY", "ADD")]


def test_the_image_is_made_of_the_lock_in_stages(dockerfile: list[tuple[str, str]]) -> None:
    bases = [rest for word, rest in dockerfile if word == "FROM"]
    base = "python:3.11-slim-bookworm"
    assert bases == [f"{base} AS libraries", "libraries AS project", base]
    runs = " ".join(rest for word, rest in dockerfile if word == "RUN")
    assert "--require-hashes" in runs and "requirements.lock" in runs
    assert "index-url" not in runs and "trusted-host" not in runs


def test_the_image_holds_no_secret(dockerfile: list[tuple[str, str]]) -> None:
    for word, rest in dockerfile:
        assert word != "ARG", "build arguments stay in the image's history"
        assert not re.search(r"PASSWORD|SECRET|FERNET|TOKEN", rest), rest


def test_tools_left_out_of_the_image_are_needed_by_nothing_in_it(
    dockerfile: list[tuple[str, str]],
) -> None:
    runs = [rest for word, rest in dockerfile if word == "RUN" and "pip uninstall" in rest]
    assert len(runs) == 1
    removed = runs[0].partition("pip uninstall --quiet --yes ")[2].partition("&&")[0].split()
    assert removed and all(re.fullmatch(r"[a-z-]+", tool) for tool in removed)
    wanted_by: dict[str, set[str]] = {}
    for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines():
        if line[:1].isalnum():
            name = line.split("==")[0].partition("[")[0]
        elif found := re.fullmatch(r"    #(?: via|  ) +(\S.*)", line):
            wanted_by.setdefault(name, set()).add(found[1].partition("[")[0])
    for tool in removed:
        assert wanted_by[tool] <= {"tessera (pyproject.toml)", *removed}, tool


def test_only_what_the_image_needs_is_sent_to_the_engine() -> None:
    lines = settings_lines(ROOT / ".dockerignore")
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert let_in == {
        "LICENSE", "README.md", "dags", "dbt_project", "expectations", "models", "plugins",
        "pyproject.toml", "requirements.lock", "settings.toml", "tessera",
    }  # fmt: skip
