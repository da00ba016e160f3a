{# Calendar months, UTC, as the date of their first day; and days. #}

{% macro month_of(moment) -%} cast(date_trunc('month', {{ moment }}) as date) {%- endmacro %}

{% macro next_month(month) -%} cast({{ month }} + interval '1' month as date) {%- endmacro %}

{# In a select list: one row per month from `first` to `last`, both months. No row if either is null. #}
{% macro each_month(first, last) -%} {{ return(adapter.dispatch('each_month', 'tessera')(first, last)) }} {%- endmacro %}
{% macro duckdb__each_month(first, last) -%}
    cast(unnest(generate_series(cast({{ first }} as date), cast({{ last }} as date), interval '1' month)) as date)
{%- endmacro %}
{% macro spark__each_month(first, last) -%} explode(sequence({{ first }}, {{ last }}, interval 1 month)) {%- endmacro %}

{# In a select list: one row per day from `first` to `last`, both dates; `first` is not after `last`. #}
{% macro each_day(first, last) -%} {{ return(adapter.dispatch('each_day', 'tessera')(first, last)) }} {%- endmacro %}
{% macro duckdb__each_day(first, last) -%}
    cast(unnest(generate_series(cast({{ first }} as date), cast({{ last }} as date), interval '1' day)) as date)
{%- endmacro %}
{% macro spark__each_day(first, last) -%} explode(sequence({{ first }}, {{ last }}, interval 1 day)) {%- endmacro %}
