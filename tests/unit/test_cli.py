from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tessera.warehouse import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
[sources.sales]
kind = "order_lines"
files = "*.csv"
[sources.sales.columns]
order_id = "o"
product_id = "p"
quantity = "q"
unit_price = "u"
ordered_at = "t"
customer_id = "c"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "settings.toml").write_text(SETTINGS)
    (tmp_path / "data" / "inbox").mkdir(parents=True)
    return tmp_path


def tessera(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from tessera.cli import main; main()", *arguments],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_before_the_first_run(project: Path) -> None:
    done = tessera(project, "segments")
    assert done.returncode == 1
    assert "nothing is published yet" in done.stderr and "make run" in done.stderr


def test_a_step_that_is_none(project: Path) -> None:
    done = tessera(project, "run", "load_crn")
    assert done.returncode != 0
    assert "'load_crn' is no step" in done.stderr and "Traceback" not in done.stderr


def test_load_and_doctor(project: Path) -> None:
    (project / "data" / "inbox" / "a.csv").write_text(
        "o,p,q,u,t,c\n1,A,1,2.5,2025-01-01,x\n2,A,one,2.5,2025-01-01,x\n"
    )
    done = tessera(project, "run", "load_crm")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "load_crm: 1 new files, 1 rows loaded, 1 in quarantine\n"
    told = tessera(project, "doctor").stdout
    assert "quantity is not a decimal" in told and "a.csv line 3" in told


def test_a_refused_file_is_shown_with_what_to_do(project: Path) -> None:
    (project / "data" / "inbox" / "a.csv").write_text("o,p,q,t,c\n")
    done = tessera(project, "run", "load_crm")
    assert done.returncode == 1
    assert "a.csv: required columns missing: u" in done.stderr
    assert "Traceback" not in done.stderr
    assert "whole file: required columns missing" in tessera(project, "doctor").stdout


def test_as_of_needs_a_loaded_export(project: Path) -> None:
    done = tessera(project, "run", "build_staging")
    assert done.returncode == 1
    assert "no export with a dated row has been loaded" in done.stderr


def test_the_demo_is_written_only_into_an_empty_inbox_that_wants_it(project: Path) -> None:
    assert tessera(project, "demo", "--if-empty").returncode == 0
    assert list((project / "data" / "inbox").iterdir()) == []
    settings = project / "settings.toml"
    settings.write_text("demo_when_empty = true\n" + SETTINGS)
    (project / "data" / "inbox" / "mine.csv").write_text("o\n")
    tessera(project, "demo", "--if-empty")
    assert [path.name for path in (project / "data" / "inbox").iterdir()] == ["mine.csv"]
    (project / "data" / "inbox" / "mine.csv").unlink()
    done = tessera(project, "demo", "--if-empty", "--customers", "20", "--days", "30")
    assert "Demo company: 20 customers" in done.stdout
    assert (project / "data" / "inbox" / "crm").is_dir()
    assert (project / "data" / "demo-truth").is_dir()


TOPICS = """
create schema staging;
create table staging.stg_vault__identifiers as
select 'text' as kind, 'h' || n as pseudonym, 'post_text' as field,
    'Text ' || n || ' about [red]lamps[/red]' || chr(10) || chr(27) || '[2J that flicker' as value
from range(1, 4) as r(n);
insert into enriched.topics values
    ('2026-01-01', 't1', 'lamp · flicker · dark', '2026-01-01', true),
    ('2026-01-01', 't2', 'tea · cup · pot', '2026-01-01', true);
insert into enriched.text_topics values
    ('2026-01-01', 'h1', 't1', 0.9, true), ('2026-01-01', 'h2', 't1', 1.0, true),
    ('2026-01-01', 'h3', 't2', 0.6, true), ('2026-01-01', 'h3', 't1', 0.4, false);
"""


def test_topics_are_listed_and_shown(project: Path) -> None:
    assert "No topics" in tessera(project, "topics", "list").stdout
    with duckdb.connect(str(project / "data" / "warehouse" / "tessera.duckdb")) as connection:
        connection.execute(SCHEMA + TOPICS)
    listed = tessera(project, "topics", "list")
    assert listed.returncode == 0, listed.stderr
    assert [line.split() for line in listed.stdout.splitlines()] == [
        ["t1", "2", "texts", "lamp", "·", "flicker", "·", "dark"],
        ["t2", "1", "texts", "tea", "·", "cup", "·", "pot"],
    ]
    shown = tessera(project, "topics", "show", "t1")
    assert shown.stdout.splitlines() == [
        "h2  100%  Text 2 about [red]lamps[/red] [2J that flicker",
        "h1  90%  Text 1 about [red]lamps[/red] [2J that flicker",
    ]
    one = tessera(project, "topics", "show", "t1", "--count", "1")
    assert one.stdout.splitlines() == shown.stdout.splitlines()[:1]


def test_a_topic_that_is_none(project: Path) -> None:
    done = tessera(project, "topics", "show", "t9")
    assert done.returncode == 1
    assert "no text of the latest run is about 't9'" in done.stderr
    assert "tessera topics list" in done.stderr and "Traceback" not in done.stderr
