{# What DuckDB and Spark spell differently. dbt models use only these. #}

{# True when `text` contains a match of the regular expression. #}
{% macro matches(text, pattern) -%} {{ return(adapter.dispatch('matches', 'tessera')(text, pattern)) }} {%- endmacro %}
{% macro duckdb__matches(text, pattern) -%} regexp_matches({{ text }}, '{{ pattern }}') {%- endmacro %}
{% macro spark__matches(text, pattern) -%} ({{ text }} rlike '{{ pattern }}') {%- endmacro %}

{# `text` with every match of the regular expression replaced. #}
{% macro replace_all(text, pattern, replacement) -%}
    {{ return(adapter.dispatch('replace_all', 'tessera')(text, pattern, replacement)) }}
{%- endmacro %}
{% macro duckdb__replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}
{% macro spark__replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}')
{%- endmacro %}

{# A 64-bit hash to bucket by. Not stable between engines or versions: never store it. #}
{% macro hash_of(columns) -%} {{ return(adapter.dispatch('hash_of', 'tessera')(columns)) }} {%- endmacro %}
{% macro duckdb__hash_of(columns) -%} hash({{ columns | join(', ') }}) {%- endmacro %}
{% macro spark__hash_of(columns) -%} xxhash64({{ columns | join(', ') }}) {%- endmacro %}

{# Seconds since 1970 as a double, fractions kept. #}
{% macro epoch_seconds(moment) -%} {{ return(adapter.dispatch('epoch_seconds', 'tessera')(moment)) }} {%- endmacro %}
{% macro duckdb__epoch_seconds(moment) -%} epoch({{ moment }}) {%- endmacro %}
{% macro spark__epoch_seconds(moment) -%} cast({{ moment }} as double) {%- endmacro %}

{# The value of `column` in the row that comes first by `order_by` (ties need a last, unique column). #}
{% macro first_by(column, order_by) -%} {{ return(adapter.dispatch('first_by', 'tessera')(column, order_by)) }} {%- endmacro %}
{% macro duckdb__first_by(column, order_by) -%} min_by({{ column }}, row({{ order_by | join(', ') }})) {%- endmacro %}
{% macro spark__first_by(column, order_by) -%} min_by({{ column }}, struct({{ order_by | join(', ') }})) {%- endmacro %}

{# Hash of a text in hexadecimal digits: md5, sha1 or sha256. #}
{% macro hex_digest(algorithm, text) -%} {{ return(adapter.dispatch('hex_digest', 'tessera')(algorithm, text)) }} {%- endmacro %}
{% macro duckdb__hex_digest(algorithm, text) -%} {{ algorithm }}({{ text }}) {%- endmacro %}
{% macro spark__hex_digest(algorithm, text) -%}
    {{ 'sha2(' ~ text ~ ', 256)' if algorithm == 'sha256' else algorithm ~ '(' ~ text ~ ')' }}
{%- endmacro %}
