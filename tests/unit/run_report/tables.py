"""The tables that the page is made of, for any number of customers."""

from __future__ import annotations

import duckdb

from tessera.warehouse import SCHEMA

NAMES = [
    "Loyal Brand Advocates", "At-Risk Customers", "Discount Shoppers", "New <Customers> & Friends",
    "Occasional Browsers", "Lapsed Customers", "Big Spenders", "Steady Regulars", "Seasonal Buyers",
    "Gift Givers", "Night Owls", "Unlike Others",
]  # fmt: skip
DAY = "date '2026-01-01'"


def fill(connection: duckdb.DuckDBPyConnection, customers: int, segments: int) -> None:
    """Everything that one run makes, as it makes it, but what compares it with the run before."""
    connection.execute(SCHEMA)
    connection.execute("create schema features; create schema segments")
    named = ", ".join(f"('s{n + 1}', '{name}')" for n, name in enumerate(NAMES[:segments]))
    connection.execute(f"create table names as from (values {named}) t(segment_id, segment_name)")
    for statement in TABLES.format(day=DAY, customers=customers, segments=segments).split(";"):
        connection.execute(statement)


TABLES = """
create table segments.customer_segments as
select 'c' || i as customer_id, {day} as as_of, segment_id, segment_name
from range({customers}) r(i) join names on segment_id = 's' || (1 + i % {segments});

create table features.customer_features as
select 'c' || i as customer_id, {day} as as_of, (i * 37 % 300)::integer as recency_days,
    (1 + i % {segments} * 3 + i % 4)::bigint as frequency,
    (i * 91 % 1000)::decimal(18, 4) as monetary,
    null::double as mean_nps
from range({customers}) r(i);

create table segments.segment_profiles as
select {day} as as_of, segment_id, segment_name, count(*) as customers,
    count(*) / sum(count(*)) over () as customer_share,
    count(*) * 10::decimal(18, 4) as gross_revenue,
    count(*) / sum(count(*)) over () as revenue_share, 10.0 as median_recency_days,
    2.0 as median_frequency, 20.0 as median_monetary, 'They buy <often>.' as description,
    'Write to them.' as suggested_action
from segments.customer_segments group by segment_id, segment_name;

insert into ml.segment_maps
select as_of, customer_id, segment_id, sin(rowid) as silhouette, cos(rowid), sin(rowid * 2),
    cos(rowid * 3), sin(rowid)
from segments.customer_segments limit 800;

create table segments.fit_scorecards as
select {day} as as_of, 'm' as model_id, {segments}::bigint as segments,
    {customers}::bigint as customers, 0.3 as silhouette, 0.01 as silhouette_error,
    0.1 as misfit_share, 0.1 as smallest_share, 0.5 as largest_share, 0.4 as revenue_explained,
    0.05 as unsure_share, 0.5 as map_explained_x, 0.2 as map_explained_y,
    'frequency' as map_feature_x, 'recency_days' as map_feature_y;

create table segments.segment_scorecards as
select *, 0.3 as silhouette, 0.8 as stability, 'stable' as standing, 0.5 as is_retained
from segments.segment_profiles;

create table segments.segment_separations as
select * from (values ({day}, 'average_order_value', 10::bigint, 12.5, 0.2, 'large'))
    t(as_of, measure, customers, kruskal_h, epsilon_squared, effect);

create table segments.bias_audit as
select {day} as as_of, 'age_band' as attribute, grouped.*, outcome_name, 'share' as kind,
    100::bigint as customers, 0.2 as rate, 0.7 as ratio, 0.6 as ratio_low, 0.79 as ratio_high
from (values ('60+', 'below four fifths'), ('18-59', 'reference')) grouped(group_name, verdict),
    (select segment_name as outcome_name from names);

create table segments.feature_proxies as
select {day} as as_of, 'age_band' as attribute, feature, 0.7 as auc, 0.01 as auc_error, verdict
from (values ('frequency', 'proxy'), ('all features', 'proxy')) t(feature, verdict);

create table segments.fit_evidence as
select {day} as as_of, algorithm, k, 1 / k as silhouette, 0.01 as silhouette_error,
    100 / k as inertia, 0.9 as stability, k = 3 and algorithm = 'kmeans' as is_chosen,
    'eligible' as reason
from range(2, 6) r(k), (values ('kmeans'), ('ward')) t(algorithm);

create table segments.segment_migrations (
    as_of date, previous_as_of date, from_segment_id varchar, from_segment_name varchar,
    to_segment_id varchar, to_segment_name varchar, cause varchar, customers bigint
);
create table segments.segment_lineage (
    as_of date, previous_as_of date, event_number integer, event varchar, segment_id varchar,
    segment_name varchar, from_segment_id varchar, from_segment_name varchar,
    shared_customers bigint
);
insert into ops.loads by name
select 1 as load_id, 'orders' as source, 'loaded' as status, 100 as rows_read, 98 as rows_loaded,
    2 as rows_quarantined;
insert into ops.checks by name
select 'check_crm' as step, 'Every order has a day' as title, 'orders' as table_name,
    'warning' as severity, true as success, timestamp '2026-01-01' as checked_at
"""

# What a second run adds.
SECOND = f"""
insert into segments.segment_migrations values
    ({DAY}, date '2025-12-25', 's1', 'Loyal Brand Advocates', 's2', 'At-Risk Customers',
        'behaviour', 30),
    ({DAY}, date '2025-12-25', 's2', 'At-Risk Customers', 's1', 'Loyal Brand Advocates',
        'boundary', 10),
    ({DAY}, date '2025-12-25', 'new', 'New Customers', 's1', 'Loyal Brand Advocates', 'new', 5);
insert into segments.segment_lineage values
    (date '2025-12-25', null, 1, 'born', 's1', 'Loyal Brand Advocates', null, null, 0),
    ({DAY}, date '2025-12-25', 1, 'continued', 's1', 'Loyal Brand Advocates', 's1', 'Loyals', 9),
    ({DAY}, date '2025-12-25', 2, 'split', 's2', 'At-Risk Customers', 's1', 'Loyals', 4);
"""
