from __future__ import annotations

import gzip
import json
from collections import Counter

import duckdb
import numpy as np
import pytest

from tessera.demo import dirt
from tessera.demo.season import Window


def test_text_in_numbers_is_found_again(text):
    bad = "SELECT order_id FROM orders WHERE try_cast(total_amount AS DECIMAL(18,4)) IS NULL"
    assert {row[0] for row in text.sql(bad)} == text.dirt("text_in_amount", "orders")
    bad = "SELECT order_id || '/' || line FROM order_lines WHERE quantity = 'n/a'"
    assert {row[0] for row in text.sql(bad)} == text.dirt("text_in_quantity", "order_lines")
    bad = "SELECT ticket_id FROM tickets WHERE satisfaction = 'n/a'"
    assert {row[0] for row in text.sql(bad)} == text.dirt("text_in_score", "tickets")


def test_broken_dates_are_found_again(text):
    bad = "SELECT order_id FROM orders WHERE try_cast(created_at AS TIMESTAMP) IS NULL"
    assert {row[0] for row in text.sql(bad)} == text.dirt("broken_date", "orders") != set()
    bad = """SELECT contact_id FROM contacts
             WHERE birth_date IS NOT NULL AND try_cast(birth_date AS DATE) IS NULL"""
    assert {row[0] for row in text.sql(bad)} == text.dirt("broken_date", "contacts") != set()


def test_other_time_zones_name_the_same_moment(text, typed):
    shifted = "SELECT order_id FROM orders WHERE created_at LIKE '%+02:00'"
    assert {row[0] for row in text.sql(shifted)} == text.dirt("other_time_zone", "orders")
    # A cast to TIMESTAMP would drop the offset; only TIMESTAMPTZ honours it.
    text.connection.execute("SET TimeZone = 'UTC'")
    moment = "strftime(try_cast(created_at AS TIMESTAMPTZ), '%Y-%m-%d %H:%M:%S')"
    query = f"SELECT order_id, {moment} AS moment FROM orders WHERE moment IS NOT NULL"
    typed.connection.execute("SET TimeZone = 'UTC'")
    assert set(text.sql(query)) <= set(typed.sql(query))


def test_duplicates_and_missing_values_are_found_again(text):
    twice = """SELECT order_id FROM orders WHERE filename NOT LIKE '%resent%'
               GROUP BY ALL HAVING count(*) > 1"""
    assert {row[0] for row in text.sql(twice)} == text.dirt("duplicate", "orders") != set()
    twice = "SELECT contact_id FROM contacts GROUP BY ALL HAVING count(DISTINCT updated_at) > 1"
    assert {row[0] for row in text.sql(twice)} <= text.dirt("duplicate", "contacts") != set()
    missing = "SELECT contact_id FROM contacts WHERE email IS NULL"
    assert {row[0] for row in text.sql(missing)} == text.dirt("missing_email", "contacts")


@pytest.mark.parametrize(
    ("export", "pattern", "key"),
    [("web_events", "web/events-*.jsonl.gz", "messageId"), ("posts", "social/posts-*.jsonl", "id")],
)
def test_broken_json_is_found_again(text, export, pattern, key):
    """The planted lines, and only they, are no JSON; they still begin with the row's id."""
    broken, repeated = set(), text.dirt("duplicate", export)
    for path in text.out.glob(pattern):
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        for line in content.decode().splitlines():
            if not line.endswith("}"):
                broken.add(line.split('"')[3])
                with pytest.raises(json.JSONDecodeError):
                    json.loads(line)
            elif export == "posts":
                assert json.loads(line)[key] not in broken
    assert broken == text.dirt("broken_json", export) != set()
    assert not broken & repeated


def test_lines_with_too_many_columns_are_found_again(text):
    for export, folder in {"order_lines": "shop/order_lines", "app_events": "app/events"}.items():
        wide = set()
        for path in text.out.glob(f"{folder}-*.csv"):
            lines = path.read_text(encoding="utf-8").splitlines()
            wide |= {line.split(",")[0] for line in lines if line.count(",") > lines[0].count(",")}
        assert wide == text.dirt("too_many_columns", export)
        assert wide


def test_late_rows_stand_in_the_next_month(text):
    late = text.dirt("late", "orders")
    assert late
    found = text.sql("""
        SELECT order_id, left(created_at, 7), regexp_extract(filename, '(\\d{4}-\\d\\d).csv', 1)
        FROM orders WHERE filename NOT LIKE '%resent%'
    """)
    moved = {order for order, month, file in found if month[:2] == "20" and month < file}
    assert moved <= late
    assert len(late - moved) <= 2  # unless its date was broken or shifted, too


def test_resent_files_are_copies(text):
    resent = list(text.out.rglob("*-resent*"))
    assert len(resent) == 3
    for path in resent:
        original = path.with_name(path.name.replace("-resent", ""))
        assert path.read_bytes() == original.read_bytes()


def test_bots_and_test_orders_are_found_again(typed):
    bots = dict(typed.sql(f"SELECT anonymous_id, events FROM '{typed.truth}/bots.parquet'"))
    seen = dict(typed.sql('SELECT "anonymousId", count(*) FROM web_events GROUP BY ALL'))
    assert bots
    assert {bot: seen[bot] for bot in bots} == bots
    crawlers = typed.sql(
        'SELECT DISTINCT "anonymousId" FROM web_events '
        "WHERE context.\"userAgent\" SIMILAR TO '.*([Bb]ot|requests).*'"
    )
    truth = f"SELECT anonymous_id FROM '{typed.truth}/bots.parquet' WHERE is_crawler"
    assert set(crawlers) == set(typed.sql(truth))
    tests = typed.sql(f"SELECT order_id FROM '{typed.truth}/test_orders.parquet'")
    assert set(tests) == set(typed.sql("SELECT order_id FROM orders WHERE is_test"))


def test_dirt_is_a_small_share(text):
    planted = Counter(
        dict(text.sql(f"""SELECT export, count(*) FROM '{text.truth}/dirt.parquet'
                          WHERE kind NOT IN ('late', 'resent') GROUP BY ALL"""))
    )  # fmt: skip
    for export in ("orders", "order_lines", "web_events", "app_events", "posts"):
        assert 0 < planted[export] / text.counts[export] < 0.02


def test_parquet_carries_no_text_dirt(typed):
    kinds = {row[0] for row in typed.sql(f"SELECT DISTINCT kind FROM '{typed.truth}/dirt.parquet'")}
    impossible = {s.kind for group in dirt.SPOILS.values() for s in group if s.text_only}
    assert not kinds & impossible
    assert {"duplicate", "late", "resent", "typo_in_name", "missing_sku"} <= kinds


def test_rows_keep_their_month_without_a_neighbour():
    columns = {"at": np.array([Window(20).start]), "month": np.array([0], dtype=np.int16)}
    rng, notes = np.random.default_rng(0), dirt.Notes()
    delayed = dirt.delay(rng, Window(20), "orders", columns, notes, lambda columns: ["x"])
    assert delayed["month"].tolist() == [0]
    assert notes.key == []


def test_widened_files_are_still_csv_for_everybody_else(text):
    rows = duckdb.sql(
        f"FROM read_csv('{text.out}/app/events-2025-11.csv', ignore_errors=true, all_varchar=true)"
    ).fetchall()
    assert rows
