from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from tessera import runs, settings, steps
from tessera.warehouse import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
ORDERS = """
[sources.orders]
kind = "orders"
files = "orders*.csv"
[sources.orders.columns]
order_id = "id"
ordered_at = "created"
"""


def load(folder: Path, text: str) -> settings.Settings:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return settings.load(file)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(settings.SettingsError) as error:
        load(folder, text)
    return str(error.value)


@pytest.mark.parametrize("file", ["settings.toml", "examples/online_retail/settings.toml"])
def test_the_settings_we_ship_are_valid(file: str) -> None:
    assert settings.load(ROOT / file).sources


def test_defaults_and_places(tmp_path: Path) -> None:
    told = load(tmp_path, f'data_dir = "here"\n{ORDERS}')
    assert told.inbox_dir == Path("here/inbox")
    assert told.warehouse_file == Path("here/warehouse/tessera.duckdb")
    assert told.segmentation.k_max == 10


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("TESSERA_SEGMENTATION__SEED", "7")
    told = load(tmp_path, f'data_dir = "here"\n{ORDERS}\n[segmentation]\nseed = 1\nk_max = 6')
    assert told.data_dir == tmp_path / "elsewhere"
    assert (told.segmentation.seed, told.segmentation.k_max) == (7, 6)


def test_settings_are_found_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(f'company = "Mine"\n{ORDERS}')
    monkeypatch.setenv("TESSERA_SETTINGS", str(tmp_path / "mine.toml"))
    assert settings.load().company == "Mine"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        settings.SettingsError, match=r"not found: .*nowhere\.toml.*TESSERA_SETTINGS"
    ):
        settings.load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("company = ", "not valid TOML"),
        (f'compny = "x"\n{ORDERS}', "compny: unknown key; did you mean 'company'?"),
        (f"{ORDERS}\n[segmentation]\nkmax = 3", "did you mean 'k_max'?"),
        (f"{ORDERS}\n[warehouse]\nmemory_limit = 'much'", "warehouse.memory_limit"),
        (f"{ORDERS}\n[segmentation]\nk_min = 5\nk_max = 3", "k_max (3) is below k_min (5)"),
        (f"currency = 'euro'\n{ORDERS}", "currency"),
        ("company = 'x'", "sources: missing"),
        (ORDERS.replace('"orders"', '"order"'), "did you mean 'orders'?"),
        (ORDERS.replace("ordered_at =", "orderd_at ="), "did you mean 'ordered_at'?"),
        (ORDERS.replace('ordered_at = "created"', ""), "still to be mapped: ['ordered_at']"),
        (ORDERS.replace('"orders*.csv"', '"/etc/*"'), "must be a path inside the inbox"),
        (ORDERS.replace('"orders*.csv"', '"../x.csv"'), "must be a path inside the inbox"),
        (ORDERS.replace("[sources.orders.columns]", "timezone = 'Mars'\n[sources.orders.columns]"),
         "not an IANA time zone"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_what_to_mend(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(tmp_path, text)


def test_orders_are_not_optional(tmp_path: Path) -> None:
    text = "[sources.p]\nkind='products'\nfiles='p*'\n[sources.p.columns]\nproduct_id='sku'"
    assert "no source of kind 'orders' or 'order_lines'" in refused(tmp_path, text)


def test_the_key_of_the_pseudonyms_comes_from_the_environment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "pseudonym_key: secrets come from" in refused(tmp_path, f'pseudonym_key = "x"\n{ORDERS}')
    monkeypatch.setenv("TESSERA_PSEUDONYM_KEY", "a key that nobody may read")
    told = load(tmp_path, ORDERS)
    assert told.pseudonym_key and told.pseudonym_key.get_secret_value().startswith("a key")
    assert "nobody may read" not in f"{told!r}{told.model_dump()}{told.model_dump_json()}"


def test_the_serving_server_comes_from_the_environment_only_and_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Take it out and set TESSERA_SERVING_URL" in refused(
        tmp_path, f'serving_url = "postgresql://ops:x@h/d"\n{ORDERS}'
    )
    run = steps.Run(load(tmp_path, ORDERS), date(2026, 1, 1), "a")
    assert steps.serve(run) == "off: TESSERA_SERVING_URL is not set"
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        before = runs.fingerprint(connection, run.settings, None)
        monkeypatch.setenv("TESSERA_SERVING_URL", "postgresql://ops:nobody-may-read@h/d")
        told = load(tmp_path, ORDERS)
        assert runs.fingerprint(connection, told, None) == before
    assert "nobody-may-read" not in f"{told!r}{told.model_dump()}{told.model_dump_json()}"


FEED = """
[sources.feed]
kind = "orders"
uri = "s3://bucket/orders/*.csv"
[sources.feed.columns]
order_id = "id"
ordered_at = "created"
"""


def test_what_is_fetched_lands_in_the_folder_of_its_source(tmp_path: Path) -> None:
    assert load(tmp_path, FEED).sources["feed"].files == "feed/**/*"
    own = FEED.replace("[sources.feed.columns]", 'files = "feed/2026*"\n[sources.feed.columns]')
    assert load(tmp_path, own).sources["feed"].files == "feed/2026*"


@pytest.mark.parametrize(
    ("mended", "said"),
    [
        (f'{FEED}[sources.feed.fetch]\noption = "a"', "unknown key; did you mean 'options'?"),
        (FEED.replace("s3://", "s4://"), "'s4://' is not known; did you mean 's3://'?"),
        (FEED.replace("uri", "# uri"), "sources.feed.files: missing"),
        (f'{ORDERS}[sources.orders.fetch]\ntable = "a"', "`fetch` needs a `uri`"),
    ],
)
def test_how_a_source_is_fetched_is_checked(tmp_path: Path, mended: str, said: str) -> None:
    assert said in refused(tmp_path, mended)


def test_a_secret_is_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "hidden")
    assert settings.secret("SOME_TOKEN") == "hidden"
    monkeypatch.delenv("SOME_TOKEN")
    with pytest.raises(LookupError):
        settings.secret("SOME_TOKEN")


def test_an_event_has_a_first_and_a_last_day(tmp_path: Path) -> None:
    days = "starts = 2025-01-08\nends = 2025-01-08"
    told = load(tmp_path, f"{ORDERS}\n[events.launch]\n{days}")
    assert told.events["launch"].starts == date(2025, 1, 8)
    assert load(tmp_path, ORDERS).events == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[events.a]\nstarts = 2025-01-08\nends = 2025-01-07", "is before starts"),
        ("[events.a]\nstarts = 2025-01-08", "events.a.ends: missing"),
        ("[events.a]\nstarts = 2025-01-08T10:00:00\nends = 2025-01-09", "events.a.starts"),
        ('[events.a]\nstarts = "soon"\nends = 2025-01-07', "events.a.starts"),
        ("[events.a]\nbegins = 2025-01-08", "events.a.begins"),
        ('[events."Black Week"]\nstarts = 2025-01-08\nends = 2025-01-09', "events"),
    ],
)
def test_events_that_cannot_be_are_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, f"{ORDERS}\n{text}")


def test_funnels_are_named_steps_in_lower_case(tmp_path: Path) -> None:
    told = load(tmp_path, f'{ORDERS}\n[funnels.signup]\nsteps = ["Page /Home ", "login"]')
    assert told.funnels["signup"].steps == ["page /home", "login"]
    assert list(load(tmp_path, ORDERS).funnels) == ["shop"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[funnels.a]\nsteps = ["only"]', "funnels.a.steps"),
        ('[funnels.a]\nsteps = ["x", " "]', "funnels.a.steps.1"),
        ('[funnels.a]\nstep = ["x", "y"]', "did you mean 'steps'"),
        ('[funnels."a\'b"]\nsteps = ["x", "y"]', "funnels"),
        ("[journeys]\nday = 9", "did you mean 'days'"),
    ],
)
def test_journeys_that_cannot_be_asked_for(tmp_path: Path, text: str, named: str) -> None:
    assert named in refused(tmp_path, f"{ORDERS}\n{text}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('method = "embeddings"', "needs a model: name a folder"),
        ('model = "owner/name"', 'model is for method "embeddings" alone'),
        ('method = "bertopic"', "topics.method"),
        ("count = 1", "topics.count"),
    ],
)
def test_topics_that_cannot_be_found(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, f"{ORDERS}\n[topics]\n{text}")
