-- The tables that Python writes, made when the warehouse is opened. Those of raw are made by
-- tessera/ingest, all others by dbt.
set timezone = 'UTC';
create schema if not exists raw;
create schema if not exists quarantine;
create schema if not exists enriched;
create schema if not exists ml;
create schema if not exists ops;

create table if not exists ops.loads (
    load_id bigint primary key, source varchar, kind varchar, file varchar, content_hash varchar,
    bytes bigint, rows_read bigint, rows_loaded bigint, rows_quarantined bigint,
    rows_already_there bigint, newest_event_at timestamp, status varchar, reason varchar,
    loaded_at timestamp
);
create table if not exists ops.source_columns (
    source varchar, column_name varchar, in_header boolean
);
create table if not exists ops.drift (
    source varchar, load_id bigint, column_name varchar, change varchar
);
create table if not exists quarantine.rows (
    load_id bigint, source varchar, kind varchar, file varchar, line bigint, item bigint,
    reason varchar, column_name varchar, row_key varchar, raw_row varchar
);
create table if not exists quarantine.files (
    load_id bigint, source varchar, file varchar, reason varchar
);
create table if not exists quarantine.repairs (
    source varchar, content_hash varchar, line bigint, record varchar
);
create table if not exists ops.checks (
    step varchar, as_of date, suite varchar, table_name varchar, expectation varchar,
    title varchar, severity varchar, success boolean, observed varchar, details varchar,
    checked_at timestamp
);
create table if not exists ops.dbt_builds (selection varchar primary key, definitions varchar);
create table if not exists ops.dbt_tables (
    selection varchar, schema_name varchar, table_name varchar
);
create table if not exists ops.touched_devices (
    device_id varchar, event_date date, is_condensed boolean
);
create table if not exists ops.step_runs (
    step varchar, as_of date, fingerprint varchar, started_at timestamp, seconds double,
    summary varchar
);
create table if not exists ops.step_tables (
    step varchar, started_at timestamp, table_name varchar, row_count bigint
);
create table if not exists ops.pseudonym_key (
    fingerprint varchar, first_used_at timestamp
);
create table if not exists ops.segment_renames (
    rename_id bigint, segment_id varchar, segment_name varchar, recorded_at timestamp,
    recorded_by varchar, reason varchar
);
create table if not exists enriched.identities (
    as_of date, kind varchar, key varchar, customer_id varchar
);
create table if not exists enriched.identity_doubts (
    as_of date, account_l varchar, account_r varchar, match_weight double, levels varchar,
    reason varchar, is_joined boolean, revenue_at_stake decimal(18, 2)
);
create table if not exists ops.identity_events (
    seq bigint, event varchar, account varchar, from_id varchar, to_id varchar, as_of date,
    recorded_at timestamp, reason varchar, evidence varchar, recorded_by varchar
);
create table if not exists ops.identity_overrides (
    override_id bigint, action varchar, account_l varchar, account_r varchar, undoes bigint,
    recorded_at timestamp, recorded_by varchar, reason varchar
);
create table if not exists ops.identity_runs (as_of date, recorded_at timestamp, told varchar);
-- What runs remember of records, hashed with the key: tessera/identity/memory.py
create table if not exists ops.identity_memory (definitions varchar, learned varchar);
drop table if exists ops.identity_known; -- now ops.identity_keys, filled anew by the next run
create table if not exists ops.identity_keys (
    account varchar, digest ubigint, key_email ubigint, key_phone ubigint, key_handle ubigint,
    key_external_id ubigint, key_email_local ubigint, key_swapped_name ubigint,
    key_birth_and_first ubigint, key_birth_and_last ubigint, key_birth_and_place ubigint,
    key_place_and_last ubigint, key_place_and_first ubigint, key_home ubigint,
    key_street_and_name ubigint
);
create table if not exists ops.identity_clusters (account varchar, cluster varchar);
create table if not exists ops.identity_common (kind varchar, key_name varchar, key_value ubigint);
create table if not exists ops.identity_weights (
    account_l varchar, account_r varchar, match_weight double, degrees tinyint[],
    by_evidence boolean
);
create table if not exists ops.identity_terms (
    learned varchar, field varchar, term ubigint, frequency double
);
drop table if exists enriched.post_sentiment; -- now part of text_scores, which scores anew
create table if not exists enriched.text_scores (
    text_hash varchar primary key, engine varchar, language varchar, sentiment double,
    label varchar, status varchar, is_complaint boolean, is_praise boolean,
    has_purchase_intent boolean, mentions_price boolean, threatens_churn boolean
);

create table if not exists enriched.topics (
    as_of date, topic_id varchar, label varchar, first_seen date, is_new boolean
);
create table if not exists enriched.topic_words (
    as_of date, topic_id varchar, rank integer, word varchar, weight double
);
create table if not exists enriched.text_topics (
    as_of date, text_hash varchar, topic_id varchar, share double, is_main boolean
);
create table if not exists enriched.topic_fits (
    as_of date, method varchar, topics integer, texts bigint, texts_with_topic bigint,
    words bigint, quality varchar
);
create table if not exists enriched.network_nodes (
    as_of date, node varchar, customer_id varchar, community_id varchar, incoming bigint,
    outgoing bigint, audience bigint, pagerank double, influence double, coreness bigint,
    betweenness double, participation double, is_bridge boolean
);
create table if not exists enriched.communities (
    as_of date, community_id varchar, members bigint, customers bigint, ties bigint,
    density double, modularity double, outward_share double, first_seen date, is_new boolean
);
create table if not exists enriched.networks (
    as_of date, nodes bigint, ties bigint, communities bigint, modularity double,
    resolution double, seeds integer, betweenness_sources bigint
);

create table if not exists ml.assignments (
    customer_id varchar, as_of date, model_id varchar, segment_id varchar, segment_name varchar,
    distance double, confidence double
);
alter table ml.assignments add column if not exists nearest_segment_id varchar;
alter table ml.assignments add column if not exists second_segment_id varchar;
alter table ml.assignments add column if not exists second_distance double;
alter table ml.assignments add column if not exists is_held boolean;
alter table ml.assignments add column if not exists since date;
alter table ml.assignments add column if not exists home varchar;
create table if not exists ml.assignment_inputs (
    as_of date, customer_id varchar, feature varchar, value double
);
create table if not exists ml.restated_inputs (
    as_of date, previous_as_of date, customer_id varchar, feature varchar, value double
);
create table if not exists ops.assignment_runs (
    as_of date, loads varchar, last_load bigint, last_identity_event bigint, definitions varchar
);
create table if not exists ml.moves (
    as_of date, previous_as_of date, customer_id varchar, from_segment_id varchar,
    to_segment_id varchar, cause varchar
);
create table if not exists ml.lineage (
    as_of date, previous_as_of date, event_number integer, event varchar, segment_id varchar,
    from_segment_id varchar, shared_customers bigint, jaccard double, centroid_distance double,
    share_of_then double, share_of_now double
);
create table if not exists ml.model_gates (
    as_of date, model_id varchar, is_promoted boolean, gate varchar, passed boolean,
    observed double, bound double, told varchar
);
create table if not exists ml.customer_outliers (
    customer_id varchar, as_of date, is_outlier boolean, kind varchar, reasons varchar,
    isolation_score double, neighbour_distance double, is_isolated boolean, is_noise boolean
);
create table if not exists ml.customer_imputed (
    customer_id varchar, as_of date, household_size bigint, is_household_size_imputed boolean,
    age_band varchar, is_age_band_imputed boolean, income_band varchar, is_income_band_imputed
    boolean, education varchar, is_education_imputed boolean, occupation varchar,
    is_occupation_imputed boolean, home_ownership varchar, is_home_ownership_imputed boolean
);
create table if not exists ml.fits (
    model_id varchar, as_of date, algorithm varchar, k integer, silhouette double, inertia double,
    customers bigint, seed integer, features varchar
);
alter table ml.fits add column if not exists stability double;
alter table ml.fits add column if not exists reasoning varchar;
drop table if exists ml.k_selection; -- now ml.fit_evidence
create table if not exists ml.fit_evidence (
    model_id varchar, as_of date, candidate integer, algorithm varchar, k integer,
    silhouette double, silhouette_error double, davies_bouldin double, calinski_harabasz double,
    inertia double, gap double, stability double, least_stability double, smallest_share double,
    revenue_explained double, is_chosen boolean, reason varchar
);
create table if not exists ml.models (
    model_id varchar primary key, as_of date, algorithm varchar, k integer,
    feature_version varchar, features varchar, file varchar, sha256 varchar, bytes bigint,
    software varchar
);
create table if not exists ml.champions (
    as_of date, model_id varchar, newest_number integer, word bigint
);
create table if not exists ml.champion_segments (
    as_of date, cluster integer, segment_id varchar
);
create table if not exists ops.model_words (
    word bigint, action varchar, model_id varchar, from_as_of date, recorded_at timestamp,
    recorded_by varchar, reason varchar
);
create table if not exists ops.model_events (
    seq bigint, model_id varchar, as_of date, status varchar, reason varchar,
    recorded_at timestamp
);
create table if not exists ml.segment_names (
    model_id varchar, as_of date, segment_id varchar, segment_name varchar, description varchar,
    suggested_action varchar, suggested_channel varchar
);
alter table ml.segment_names add column if not exists suggested_channel varchar;
create table if not exists ml.segment_features (
    as_of date, segment_id varchar, feature varchar, feature_rank integer, effect_size double,
    magnitude varchar, segment_median double, others_median double, known_share double
);
create table if not exists ml.segment_members (
    as_of date, segment_id varchar, kind varchar, member_rank integer, customer_id varchar,
    centre_distance double, confidence double, second_segment_id varchar
);
create table if not exists ml.segment_rules (
    as_of date, segment_id varchar, set_apart varchar, sql_rule varchar, rule_precision double,
    rule_recall double, rule_fidelity double
);
create table if not exists ml.customer_reasons (
    as_of date, customer_id varchar, margin double,
    reason_1 varchar, reason_1_value double, reason_1_share double,
    reason_2 varchar, reason_2_value double, reason_2_share double,
    reason_3 varchar, reason_3_value double, reason_3_share double
);

create table if not exists ml.fit_scorecards (
    as_of date, model_id varchar, segments bigint, customers bigint, silhouette double,
    silhouette_error double, misfit_share double, smallest_share double, largest_share double,
    revenue_explained double, unsure_share double, map_explained_x double, map_explained_y double,
    map_feature_x varchar, map_feature_y varchar
);
create table if not exists ml.segment_scorecards (
    as_of date, segment_id varchar, customers bigint, customer_share double,
    gross_revenue decimal(18, 4), revenue_share double, silhouette double,
    silhouette_customers bigint, misfit_share double, stability double, standing varchar,
    mean_confidence double, average_order_value double, conversion_rate double, is_retained double,
    is_churned double
);
create table if not exists ml.segment_separations (
    as_of date, measure varchar, customers bigint, segments bigint, kruskal_h double,
    p_value double, epsilon_squared double, eta_squared double, effect varchar
);
create table if not exists ml.segment_maps (
    as_of date, customer_id varchar, segment_id varchar, silhouette double, pca_x double,
    pca_y double, tsne_x double, tsne_y double
);
create table if not exists ml.bias_audit (
    as_of date, attribute varchar, group_name varchar, kind varchar, outcome varchar,
    customers bigint, counted bigint, rate double, rate_low double, rate_high double,
    reference_group varchar, ratio double, ratio_low double, ratio_high double, verdict varchar
);
create table if not exists ml.feature_proxies (
    as_of date, attribute varchar, feature varchar, customers bigint, groups bigint, auc double,
    auc_error double, verdict varchar
);

create table if not exists ml.journey_transitions (
    as_of date, device_type varchar, from_step varchar, to_step varchar, sessions bigint,
    transitions bigint, probability double
);
create table if not exists ml.journey_steps (
    as_of date, device_type varchar, step varchar, sessions bigint, visits bigint,
    conversion_rate double, drop_off_rate double, conversion_probability double,
    removal_effect double
);
create table if not exists ml.journey_paths (
    as_of date, kind varchar, path varchar, steps bigint, sessions bigint, support double,
    conversion_rate double
);
create table if not exists ml.purchase_sequences (
    as_of date, category varchar, sequence varchar, sequences bigint, customers bigint,
    bought_later bigint, bought_later_share double, median_hours_to_buy double
);
create table if not exists ml.funnels (
    as_of date, funnel varchar, dimension varchar, value varchar, step_number bigint, step varchar,
    users bigint, conversion_from_previous double, conversion_from_first double,
    median_hours_from_previous double
);
create table if not exists ml.basket_rules (
    as_of date, period varchar, period_from date, period_to date, level varchar, rule_rank bigint,
    first_item varchar, second_item varchar, consequent varchar, baskets bigint,
    least_baskets bigint, antecedent_baskets bigint, consequent_baskets bigint,
    rule_baskets bigint, support double, confidence double, lift double, leverage double,
    p_value double
);
create table if not exists ml.trends (
    as_of date, dimension varchar, member varchar, measure varchar, week date, observed double,
    trend double, seasonal double, residual double, score double, is_anomaly boolean,
    direction varchar
);
create table if not exists ml.trend_changes (
    as_of date, dimension varchar, member varchar, measure varchar, week date,
    level_before double, level_after double
);
create table if not exists ml.found_events (
    as_of date, event varchar, starts_on date, ends_on date, found_in varchar
);
create table if not exists ml.event_ratios (
    as_of date, event varchar, measure varchar, happened bigint, days bigint,
    happened_before bigint, days_before bigint, dispersion double, ratio double, ratio_low double,
    ratio_high double
);

create table if not exists ml.customer_rules (as_of date, rule varchar, customer_id varchar);
create table if not exists ml.rule_segments (
    as_of date, rule varchar, description varchar, condition varchar, suggested_action varchar,
    customers bigint, customer_share double, gross_revenue decimal(18, 4), revenue_share double,
    previous_as_of date, joined bigint, gone bigint
);
create table if not exists ml.rule_overlaps (
    as_of date, rule varchar, other_kind varchar, other varchar, customers bigint,
    share_of_rule double, share_of_other double, jaccard double, lift double
);
create table if not exists ml.trigger_states (
    as_of date, trigger_name varchar, customer_id varchar
);
create table if not exists ml.triggers (
    as_of date, trigger_name varchar, description varchar, condition varchar, customers bigint,
    previous_as_of date, fired bigint
);
create table if not exists ml.trigger_events (
    as_of date, trigger_name varchar, customer_id varchar, previous_as_of date
);
create table if not exists ml.customer_micro_segments (
    as_of date, customer_id varchar, micro_segment_id varchar, segment_id varchar,
    dimension varchar, value varchar
);
create table if not exists ml.micro_segments (
    as_of date, micro_segment_id varchar, segment_id varchar, dimension varchar, value varchar,
    label varchar, customers bigint, share_of_segment double, lift double,
    gross_revenue decimal(18, 4), stability double, is_stable boolean
);
