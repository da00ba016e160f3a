"""What holds of every step: nothing without exports, nothing lost to a newer version."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tessera import settings
from tessera.runs import NothingLoaded
from tessera.steps import run_step
from tessera.warehouse import open_warehouse

TOLD = """
company = "A till"

[sources.till]
kind = "order_lines"
files = "till.csv"
[sources.till.columns]
order_id = "order_id"
product_id = "product_id"
quantity = "quantity"
unit_price = "unit_price"
ordered_at = "ordered_at"
customer_id = "customer_id"
"""
LINES = """order_id,product_id,quantity,unit_price,ordered_at,customer_id
1,A,2,9.90,2026-01-02 10:00:00,7
2,B,1,5.00,2026-01-03 10:00:00,8
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    monkeypatch.setenv("TESSERA_DATA_DIR", str(tmp_path))
    (tmp_path / "inbox").mkdir()
    (tmp_path / "settings.toml").write_text(TOLD)
    return settings.load(tmp_path / "settings.toml")


@pytest.mark.parametrize("step", ["check_crm", "build_staging", "fit_segments", "publish"])
def test_before_the_first_export_no_step_begins(told: settings.Settings, step: str) -> None:
    with pytest.raises(NothingLoaded, match="tessera doctor"):
        run_step(step, told, date(2026, 1, 5))


def test_staging_finds_kinds_and_columns_that_an_older_version_did_not_make(
    told: settings.Settings,
) -> None:
    (told.inbox_dir / "till.csv").write_text(LINES)
    run_step("load_crm", told)
    with open_warehouse(told.warehouse_file) as connection:
        connection.execute("drop table raw.survey_answers")
        connection.execute("alter table raw.order_lines drop column discount_amount")
    assert "dbt models" in run_step("build_staging", told, date(2026, 1, 5))
