"""A small warehouse in which each table is as it should be."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

ORIGIN = "'file' AS _source, 1::BIGINT AS _load_id, i + 1 AS _line FROM range(400) AS t(i)"
NO_EMAIL = "NULL::VARCHAR AS email"
CUSTOMER = "'c' || (i % 200) AS customer_id"


def moment(days: str = "i") -> str:
    return f"strftime(TIMESTAMP '2024-01-02' + to_days(({days})::INTEGER), '%Y-%m-%dT%H:%M:%SZ')"


RAW = {
    "contacts": "'c' || i AS customer_id, 'p' || i || '@example.org' AS email, "
    "'+49 30 ' || (100000 + i) AS phone, 'A' AS first_name, 'B' AS last_name, "
    "'1980-05-17' AS birth_date, 'f' AS gender, 'Road 1' AS street, 'Town' AS city, "
    f"'10115' AS postal_code, 'DE' AS country, 'h' || i AS handle, {moment()} AS created_at, "
    f"{moment('i + 1')} AS updated_at",
    "consents": f"'c' || i AS customer_id, {NO_EMAIL}, 'email' AS purpose, 'true' AS is_granted, "
    f"{moment()} AS changed_at",
    "demographics": f"'c' || i AS customer_id, {NO_EMAIL}, md5('c' || i) AS email_hash, "
    "'30-39' AS age_band, '2' AS household_size",
    "orders": f"'o' || i AS order_id, {CUSTOMER}, {NO_EMAIL}, "
    f"{moment()} AS ordered_at, "
    "'EUR' AS currency, 'paid' AS status, NULL::VARCHAR AS discount_code, "
    "'20.00' AS total_amount, 'web' AS channel, 'false' AS is_test",
    "order_lines": "'o' || i AS order_id, '1' AS line_id, 'p' || (i % 20) AS product_id, "
    "NULL::VARCHAR AS product_name, NULL::VARCHAR AS category, '2' AS quantity, "
    f"'10.00' AS unit_price, '0.00' AS discount_amount, {CUSTOMER}, {moment()} AS ordered_at, "
    "'DE' AS country, 'false' AS is_refund",
    "refunds": f"'r' || i AS refund_id, 'o' || i AS order_id, {moment()} AS refunded_at, "
    "'5.00' AS amount, 'broken' AS reason",
    "products": "'p' || i AS product_id, 'Thing' AS product_name, 'Things' AS category, "
    "'Brand' AS brand, '10.00' AS list_price",
    "web_events": "'e' || i AS event_id, 'page' AS event_type, NULL::VARCHAR AS event_name, "
    f"'a' || i AS anonymous_id, {CUSTOMER}, {moment()} AS occurred_at, '/' AS path, "
    "NULL::VARCHAR AS product_id, NULL::VARCHAR AS category, NULL::VARCHAR AS order_id, "
    "NULL::VARCHAR AS revenue, 'Mozilla/5.0' AS user_agent, 'phone' AS device_type, "
    "NULL::VARCHAR AS utm_source",
    "app_events": f"'e' || i AS event_id, {CUSTOMER}, NULL::VARCHAR AS device_id, "
    "'open' AS event_name, "
    f"{moment()} AS occurred_at, 's' || i AS session_id, 'home' AS feature, "
    "'30.5' AS duration_seconds, 'ios' AS platform",
    "posts": f"'x' || i AS post_id, 'h' || i AS author_handle, NULL::VARCHAR AS author_id, "
    "'net' AS network, "
    f"{moment()} AS posted_at, 'good' AS text, '1' AS likes, '2' AS comments, '3' AS shares, "
    "NULL::VARCHAR AS in_reply_to, '[]' AS mentions",
    "profiles": "'h' || i AS handle, NULL::VARCHAR AS author_id, '5' AS followers, "
    f"'0' AS following, {moment()} AS created_at",
    "follows": "'h' || i AS follower_handle, 'h' || (i + 1) AS followed_handle, "
    f"{moment()} AS followed_at",
    "tickets": f"'t' || i AS ticket_id, {CUSTOMER}, {NO_EMAIL}, "
    f"{moment()} AS opened_at, {moment('i + 1')} AS closed_at, 'email' AS channel, "
    "'delivery' AS topic, 'closed' AS status, 'Where is it' AS subject, '4' AS satisfaction",
    "survey_answers": f"'s' || i AS response_id, {CUSTOMER}, {NO_EMAIL}, "
    f"{moment()} AS answered_at, "
    "'nps' AS survey, '9' AS nps, 'fine' AS comment",
    "campaign_events": f"'k' AS campaign_id, {CUSTOMER}, {NO_EMAIL}, "
    "'email' AS channel, 'A' AS variant, "
    f"CASE WHEN i % 4 = 0 THEN 'opened' ELSE 'sent' END AS event, {moment()} AS occurred_at",
}

FEATURES = """
CREATE TABLE features.customer_features AS
SELECT
    'c' || i AS customer_id, DATE '2026-01-01' AS as_of, true AS has_contact,
    i < 300 AS has_orders, i < 200 AS has_web, false AS has_app, false AS has_social,
    false AS has_support, false AS has_survey, false AS has_campaign,
    CASE WHEN i < 300 THEN (i % 90)::INTEGER END AS recency_days,
    CASE WHEN i < 300 THEN 2 ELSE 0 END::BIGINT AS frequency,
    CASE WHEN i < 300 THEN 100 ELSE 0 END::DECIMAL(18,4) AS gross_revenue,
    CASE WHEN i < 300 THEN 10 ELSE 0 END::DECIMAL(18,4) AS refunds,
    CASE WHEN i < 300 THEN 90 ELSE 0 END::DECIMAL(18,4) AS monetary,
    0.1::DOUBLE AS refund_share, 0::BIGINT AS void_orders,
    0.5::DOUBLE AS profile_completeness, 1::BIGINT AS busiest_hour_orders,
    0.1::DOUBLE AS discount_share, 0.5::DOUBLE AS purchase_trend,
    CASE WHEN i < 300 THEN (1 + i % 5)::INTEGER END AS r_score,
    CASE WHEN i < 300 THEN 3 END AS f_score, CASE WHEN i < 300 THEN 3 END AS m_score,
    CASE WHEN i < 300 THEN (1 + i % 5) || '33' END AS rfm_score,
    CASE WHEN i < 200 THEN 4 END::BIGINT AS web_sessions, 0.2::DOUBLE AS add_to_cart_rate,
    0.3::DOUBLE AS cart_abandonment_rate, 12.5::DOUBLE AS engagement_score,
    NULL::BIGINT AS app_sessions, NULL::BIGINT AS posts, NULL::DOUBLE AS mean_sentiment,
    NULL::BIGINT AS tickets, NULL::BIGINT AS survey_answers, NULL::BIGINT AS campaign_sends,
    NULL::DOUBLE AS campaign_open_rate, NULL::DOUBLE AS campaign_click_rate,
    CASE WHEN i < 300 THEN 'active' ELSE 'prospect' END AS lifecycle_stage
FROM range(400) AS t(i)
"""

CUSTOMER_SEGMENTS = """
CREATE TABLE segments.customer_segments AS
SELECT
    customer_id, as_of, CASE WHEN frequency = 0 THEN 'without-purchase'
        WHEN r_score > 3 THEN 'loyal-regulars' ELSE 'quiet-buyers' END AS segment_id,
    CASE WHEN frequency = 0 THEN 'Without Purchase'
        WHEN r_score > 3 THEN 'Loyal Regulars' ELSE 'Quiet Buyers' END AS segment_name,
    'kmeans-2026-01-01-0123456789ab' AS model_id,
    CASE WHEN frequency > 0 THEN 0.4::DOUBLE END AS distance,
    CASE WHEN frequency > 0 THEN 0.8::DOUBLE END AS confidence,
    r_score, f_score, m_score, rfm_score, lifecycle_stage, recency_days, frequency, monetary
FROM features.customer_features
"""

SEGMENT_PROFILES = """
CREATE TABLE segments.segment_profiles AS
SELECT
    as_of, segment_id, segment_name, model_id, 'Who they are' AS description,
    'What to do' AS suggested_action, count(*) AS customers,
    count(*) / sum(count(*)) OVER () AS customer_share,
    sum(gross_revenue)::DECIMAL(18,4) AS gross_revenue,
    (sum(gross_revenue) / sum(sum(gross_revenue)) OVER ())::DOUBLE AS revenue_share,
    0.25::DOUBLE AS at_risk_share
FROM segments.customer_segments JOIN features.customer_features USING (customer_id, as_of)
GROUP BY ALL
"""

SEGMENT_HISTORY = """
CREATE TABLE segments.segment_history AS
SELECT customer_id, 'quiet-buyers' AS segment_id, 'Quiet Buyers' AS segment_name,
    DATE '2025-12-01' AS valid_from, DATE '2025-12-15' AS valid_to
FROM segments.customer_segments
UNION ALL
SELECT customer_id, segment_id, segment_name, DATE '2025-12-15', NULL
FROM segments.customer_segments
"""


def build(path: Path) -> Path:
    with duckdb.connect(str(path)) as connection:
        for schema in ("raw", "features", "segments"):
            connection.execute(f"CREATE SCHEMA {schema}")
        for kind, columns in RAW.items():
            connection.execute(f"CREATE TABLE raw.{kind} AS SELECT {columns}, {ORIGIN}")
        for statement in (FEATURES, CUSTOMER_SEGMENTS, SEGMENT_PROFILES, SEGMENT_HISTORY):
            connection.execute(statement)
    return path


@pytest.fixture(scope="session")
def good_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("expectations") / "warehouse.duckdb")


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """A warehouse of its own, for tests that change it."""
    return build(tmp_path / "warehouse.duckdb")
