"""Names and values that want to be SQL, HTML, paths or templates; and secrets that want out."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.markers import holding
from tests.pipeline.conftest import ROOT, Finished, make_run, tessera

pytestmark = pytest.mark.long

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(1)>"
DROP = "'; drop table raw.orders; --"
CATEGORIES = [
    DROP, SCRIPT, IMAGE, '=HYPERLINK("http://x.example")', "../../etc/passwd",
    '"; drop schema raw; --', "{{ 7 * 7 }}", "{% raw %}", "\u202eevil", "a\nb", "%s {0} {x}",
    "-1+1",
]  # fmt: skip
SECRETS = {
    "TESSERA_PSEUDONYM_KEY": "5ec12e7a" * 8,
    "OPS_PASSWORD": "marker-of-a-connection-4711",
    "SERVING_PASSWORD": "marker-of-the-serving-4712",
    "SHOP_PASSWORD": "marker-of-a-source-4713",
}
SERVING = f"postgresql://tessera_ops:{SECRETS['SERVING_PASSWORD']}@127.0.0.1:9/tessera"
MAIL = f"smtp://user:{SECRETS['OPS_PASSWORD']}@127.0.0.1:9?from_email=t%40example.com"
ENVIRONMENT = {
    "TESSERA_PSEUDONYM_KEY": SECRETS["TESSERA_PSEUDONYM_KEY"],
    "TESSERA_ALERTS": "ops_mail",
    "AIRFLOW_CONN_OPS_MAIL": MAIL,
    "SHOP_PASSWORD": SECRETS["SHOP_PASSWORD"],
}
NAME = f"Best{DROP}{SCRIPT}"[:60]


@dataclass(frozen=True)
class Hostile:
    run: Finished
    settings: Path
    said: str  # by all commands


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    from tessera.demo.company import write

    data = tmp_path_factory.mktemp("hostile")
    with duckdb.connect() as connection:
        write(connection, data / "inbox", data / "truth", customers=150, days=150, seed=7)
    shutil.rmtree(data / "truth")
    spoil(data / "inbox")
    settings = data / "settings.toml"
    settings.write_text(told((ROOT / "settings.toml").read_text()))
    run = make_run(data, str(settings), **ENVIRONMENT)
    return Hostile(run, settings, run.output)


def spoil(inbox: Path) -> None:
    """A hostile file name, column names and category values."""
    orders = sorted((inbox / "shop").glob("orders-*.csv"))[0]
    orders.rename(orders.with_name(f'orders{DROP}\n"<img src=x onerror=alert(1)>.csv'))
    products = inbox / "shop" / "products.csv"
    with products.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with products.open("w", newline="") as file:
        names = ["sku", "name", COLUMN, "brand", "list_price", f'x"{DROP}', SCRIPT, "../x"]
        writer = csv.writer(file)
        writer.writerow(names)
        for number, row in enumerate(rows):
            category = CATEGORIES[number % len(CATEGORIES)]
            cells = [row["sku"], row["name"] + SCRIPT, category, DROP, row["list_price"]]
            writer.writerow([*cells, DROP, SCRIPT, "=1+1"])


COLUMN = "cat\"eg'ory; drop schema raw cascade; --"


def told(settings: str) -> str:
    """The settings of the demo with hostile texts wherever a text is free."""
    for old, new in (
        ('company = "Demo company"', f"company = '''{SCRIPT}{DROP}'''"),
        ('category = "category"', f"category = '''{COLUMN}'''"),
        ('"add_to_cart", "checkout_start"', f"'''{DROP}{{{{ 7 * 7 }}}}''', \"checkout_start\""),
        ('conversions = ["purchase"]', f"conversions = ['purchase', '''{DROP}''']"),
        ('description = "Among', f'description = "{SCRIPT}{DROP} Among'),
        ('action = "Ring', f'action = "{IMAGE} Ring'),
    ):
        assert old in settings, old
        settings = settings.replace(old, new, 1)
    return settings


def test_it_runs_to_its_end(hostile: Hostile) -> None:
    assert hostile.run.code == 0, hostile.run.output


def test_every_row_and_name_is_there_as_it_was(hostile: Hostile) -> None:
    told = hostile.run.query("select distinct category from raw.products")
    assert {value for (value,) in told} == set(CATEGORIES)
    (orders,) = hostile.run.query("select count(*) > 100 from raw.orders")
    assert orders == (True,)
    files = hostile.run.query("select file from ops.loads where file like '%drop table%'")
    assert len(files) == 1 and "onerror" in files[0][0]
    extra = hostile.run.query("select _extra from raw.products limit 1")[0][0]
    assert DROP in extra and SCRIPT in extra
    unbalanced = (
        "select * from ops.loads where rows_read <> "
        "rows_loaded + rows_quarantined + rows_already_there"
    )
    assert hostile.run.query(unbalanced) == []


def test_pages_hold_no_script_of_strangers(hostile: Hostile) -> None:
    pages = sorted(hostile.run.data.rglob("*.html"))
    assert {"report.html", "index.html"} <= {page.name for page in pages}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert SCRIPT not in text and IMAGE not in text, page


def test_an_operators_name_is_a_name_and_nothing_else(hostile: Hostile) -> None:
    data, query = hostile.run.data, hostile.run.query
    ((segment,),) = query("select min(segment_id) from ml.segment_names where segment_id like 's%'")
    environment = {**ENVIRONMENT, "TESSERA_SETTINGS": str(hostile.settings)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        renamed = tessera(data, "segments", "rename", segment, NAME, "--reason", DROP)
        assert renamed.returncode == 0, renamed.stderr
        again = tessera(data, "run", "write_report")
        assert again.returncode == 0, again.stderr
        refused = tessera(data, "run", "publish", "--as-of", f"2026-01-01{DROP}")
        assert refused.returncode == 2
        patch.setenv("TESSERA_SERVING_URL", SERVING)
        unserved = tessera(data, "run", "serve")
        assert unserved.returncode == 1
        answered = tessera(data, "sql", "from segment_profiles", "--format", "csv")
    published = hostile.run.published("select segment_name from segments.segment_profiles")
    assert (NAME,) in published
    assert SCRIPT not in (data / "published" / "report.html").read_text(encoding="utf-8")
    assert NAME in answered.stdout
    assert query("select count(*) > 0 from raw.orders") == [(True,)]
    for done in (renamed, again, refused, unserved, answered):
        for secret in SECRETS.values():
            assert secret not in done.stdout + done.stderr


def test_secrets_are_nowhere(hostile: Hostile) -> None:
    assert not [secret for secret in SECRETS.values() if secret in hostile.run.output]
    logs = (hostile.run.data / "airflow" / "run.log").read_text(encoding="utf-8")
    assert "load_crm" in logs
    assert holding(hostile.run.data, list(SECRETS.values())) == []


def test_the_search_for_secrets_finds_them(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("create table t as select 'marker-in-it' as v from range(5000)")
        connection.execute(f"copy t to '{tmp_path}/t.parquet'")
    (tmp_path / "log").write_text("a marker-in-it b")
    found = holding(tmp_path, ["marker-in-it"])
    assert {Path(line.split(": ")[0]).name for line in found} == {"w.duckdb", "t.parquet", "log"}
