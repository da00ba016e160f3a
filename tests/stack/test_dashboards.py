"""Each dashboard in a real browser: every chart has an answer with data, and no box says error.

SUPERSET_URL and SUPERSET_PASSWORD name a Superset that runs already; PICTURES a folder for
screenshots.
"""

from __future__ import annotations

import os
import secrets
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stack.compose import ROOT, wait

pytestmark = pytest.mark.stack

ASSETS = ROOT / "dashboards" / "assets"
DASHBOARDS = sorted(path.stem for path in (ASSETS / "dashboards").glob("*.yaml"))
# Good when empty, or empty until the second weekly run.
MAY_BE_EMPTY = {
    "checks_list", "drift", "refusals", "refusals_list",
    "migrations_by_cause", "migrations_between", "segment_joined",
}  # fmt: skip
ERRORS = (
    ".ant-alert-error, [data-test=error-message], .error-boundary, .alert-danger, "
    ".missing-chart-container"
)
HEIGHT = """() => Math.max(...[...document.querySelectorAll('.dragdroppable-row')]
    .map(row => row.getBoundingClientRect().bottom + window.scrollY))"""
FRAME = """() => { const at = [...document.querySelectorAll('.dragdroppable-row')]
    .map(row => row.getBoundingClientRect());
    const left = Math.min(...at.map(b => b.left)) - 12, right = Math.max(...at.map(b => b.right));
    return {x: left, y: 0, width: right - left + 12,
            height: Math.max(...at.map(b => b.bottom)) + 14} }"""


@dataclass
class Opened:
    """A dashboard that has drawn itself: chart (by the name of its file) → rows, or what failed."""

    rows: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def superset(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Address and the administrator's password."""
    if address := os.environ.get("SUPERSET_URL"):
        return address, os.environ["SUPERSET_PASSWORD"]
    stack = request.getfixturevalue("stack")
    stack.wait_healthy("superset")
    return stack.address("superset", 8088), stack.secrets()["SUPERSET_ADMIN_PASSWORD"]


@pytest.fixture(scope="session")
def shown(request: pytest.FixtureRequest) -> None:
    """There is something to show: a running Superset has it, the stack makes it."""
    if "SUPERSET_URL" not in os.environ:
        request.getfixturevalue("published")


@pytest.fixture(scope="module")
def page(superset: tuple[str, str]) -> Iterator[Any]:
    """A browser that has logged in."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    address, password = superset
    with sync_api.sync_playwright() as playwright:
        # Chromium runs as whoever tests run as; as root it has no sandbox.
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        yield log_in(browser.new_page(base_url=address), "admin", password)
        browser.close()


def log_in(page: Any, user: str, password: str) -> Any:
    """The page, after the login of a person.

    On a busy machine the page may draw its form anew under what is typed: it is then typed again.
    """
    page.set_default_timeout(120_000)

    def is_in() -> bool:
        page.goto("/login/", wait_until="networkidle")
        if page.locator("#username").count():
            page.fill("#username", user)
            page.fill("#password", password)
            page.keyboard.press("Enter")
            page.wait_for_load_state("networkidle")
        # The address tells nothing: a page that wants a login has the one it leads to in its own.
        return bool(page.request.get("/api/v1/me/").ok)

    wait(f"{user} is logged in", is_in)
    return page


def charts_of(slug: str) -> dict[str, str]:
    """The dashboard's charts: title → name of the file."""
    told = yaml.safe_load((ASSETS / "dashboards" / f"{slug}.yaml").read_text())
    named = {}
    for chart in (ASSETS / "charts").glob("*.yaml"):
        chart_told = yaml.safe_load(chart.read_text())
        named[chart_told["uuid"]] = (chart_told["slice_name"], chart.stem)
    ids = [part["meta"]["uuid"] for part in told["position"].values()
           if isinstance(part, dict) and part.get("type") == "CHART"]  # fmt: skip
    return dict(named[i] for i in ids)


def open_dashboard(page: Any, slug: str) -> Opened:
    """Open it whole, wait until nothing loads any more, and collect each chart's answer."""
    answers: list[Any] = []

    def hear(response: Any) -> None:
        if "/api/v1/chart/data" in response.url:
            answers.append(response)

    page.on("response", hear)
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto(f"/superset/dashboard/{slug}/?standalone=2")
    page.wait_for_selector(".dragdroppable-row")
    # Charts below the window are not drawn: the window becomes as high as the page.
    page.set_viewport_size({"width": 1440, "height": int(page.evaluate(HEIGHT)) + 40})
    charts = charts_of(slug)
    wait(slug, lambda: _settled(page, answers, len(charts)))
    page.remove_listener("response", hear)
    return _collected(page, charts, answers)


def _settled(page: Any, answers: list[Any], expected: int) -> bool:
    page.wait_for_timeout(1500)
    return len(answers) >= expected and not page.locator(".loading").count()


def _collected(page: Any, charts: dict[str, str], answers: list[Any]) -> Opened:
    titles = _titles(page)
    opened = Opened(failures=[text[:300] for text in page.locator(ERRORS).all_inner_texts()])
    for answer in answers:
        asked = (answer.request.post_data_json or {}).get("form_data", {})
        name = charts.get(titles.get(asked.get("slice_id"), ""), "?")
        told = answer.json()
        if answer.status != 200 or any(r.get("error") for r in told.get("result", [])):
            opened.failures.append(f"{name}: {answer.status} {str(told)[:300]}")
        else:
            opened.rows[name] = told["result"][0]["rowcount"]
    return opened


def _titles(page: Any) -> dict[int, str]:
    told = page.request.get("/api/v1/chart/?q=(page_size:200)").json()
    return {chart["id"]: chart["slice_name"] for chart in told["result"]}


@pytest.mark.parametrize("slug", DASHBOARDS)
def test_every_chart_shows_data(shown: None, page: Any, slug: str) -> None:
    opened = open_dashboard(page, slug)
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{slug}.png", clip=page.evaluate(FRAME))
    assert opened.failures == []
    assert set(opened.rows) == set(charts_of(slug).values())
    assert {name for name, rows in opened.rows.items() if not rows} <= MAY_BE_EMPTY


def test_a_segment_has_one_colour_everywhere(shown: None, page: Any) -> None:
    told = [page.request.get(f"/api/v1/dashboard/{slug}").json()["result"] for slug in DASHBOARDS]
    colours = [yaml.safe_load(one["json_metadata"])["label_colors"] for one in told]
    assert colours[0] and all(one == colours[0] for one in colours)


def test_a_viewer_sees_all_and_changes_nothing(
    shown: None, superset: tuple[str, str], page: Any
) -> None:
    name, password = f"viewer-{secrets.token_hex(4)}", secrets.token_hex(16)
    roles = page.request.get("/api/v1/security/roles/?q=(page_size:100)").json()["result"]
    (role,) = [told["id"] for told in roles if told["name"] == "Viewer"]
    user = {"first_name": "V", "last_name": "W", "username": name, "password": password,
            "email": f"{name}@example.org", "active": True, "roles": [role]}  # fmt: skip
    made = _send(page, "post", "/api/v1/security/users/", user)
    assert made.status == 201, made.text()
    context = page.context.browser.new_context(base_url=superset[0])
    viewer = log_in(context.new_page(), name, password)
    charts = viewer.request.get("/api/v1/chart/?q=(page_size:200)").json()
    assert charts["count"] == len(list((ASSETS / "charts").glob("*.yaml")))
    assert open_dashboard(viewer, "segments").failures == []
    chart = f"/api/v1/chart/{charts['result'][0]['id']}"
    assert _send(viewer, "put", chart, {"slice_name": "mine"}).status in (401, 403, 404)
    assert _send(viewer, "delete", chart, None).status in (401, 403, 404)
    lab = {"database_id": 1, "sql": "select 1", "runAsync": False}
    assert _send(viewer, "post", "/api/v1/sqllab/execute/", lab).status in (401, 403)
    context.close()


def _send(page: Any, method: str, path: str, body: dict[str, Any] | None) -> Any:
    """A request that changes something, with the token that Superset wants for it."""
    token = page.request.get("/api/v1/security/csrf_token/").json()["result"]
    headers = {"X-CSRFToken": token, "Referer": page.url}
    return getattr(page.request, method)(path, data=body, headers=headers, max_redirects=0)


@pytest.mark.parametrize("path", ["/api/v1/chart/", "/api/v1/dataset/", "/api/v1/database/"])
def test_nothing_is_told_without_a_login(superset: tuple[str, str], path: str) -> None:
    try:
        with urllib.request.urlopen(superset[0] + path, timeout=60) as answer:
            assert b'"count":0' in answer.read().replace(b" ", b"")
    except urllib.error.HTTPError as error:
        assert error.code in (401, 403)


def test_the_address_of_the_data_opens_no_other_file(shown: None, page: Any) -> None:
    """SQL Lab, as the administrator: reading, writing and attaching files are refused."""
    databases = page.request.get("/api/v1/database/").json()["result"]
    for sql in ("select * from read_text('/etc/passwd')", "attach '/tmp/other.duckdb' as other"):
        asked = {"database_id": databases[0]["id"], "sql": sql, "runAsync": False}
        answer = _send(page, "post", "/api/v1/sqllab/execute/", asked)
        assert answer.status >= 400, sql
