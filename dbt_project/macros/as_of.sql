{# The run's date, YYYY-MM-DD, from `--vars '{as_of: …}'`. Never the wall clock. #}
{% macro as_of() -%}
    {%- set value = var('as_of', none) -%}
    {%- if not value and execute -%}
        {{ exceptions.raise_compiler_error("Variable as_of is missing: pass --vars '{as_of: YYYY-MM-DD}'.") }}
    {%- endif -%}
    {{ return((value or '1970-01-01') | string) }}
{%- endmacro %}

{% macro as_of_date() -%} cast('{{ as_of() }}' as date) {%- endmacro %}

{# The day whose run found who is whom: the as-of date, or a later one where an earlier day is built
   again as it is known now. #}
{% macro people_as_of_date() -%} cast('{{ var("people_as_of", as_of()) }}' as date) {%- endmacro %}

{# 00:00 UTC of the as-of date: only what happened strictly before it counts. #}
{% macro as_of_start() -%} cast('{{ as_of() }} 00:00:00' as timestamp) {%- endmacro %}

{# 00:00 UTC, `days` days before the as-of date. #}
{% macro days_before_as_of(days) -%}
    {%- set day = modules.datetime.datetime.strptime(as_of(), '%Y-%m-%d')
        - modules.datetime.timedelta(days=days) -%}
    cast('{{ day.strftime('%Y-%m-%d') }} 00:00:00' as timestamp)
{%- endmacro %}

{# Whole days from a date or timestamp to the as-of date. #}
{% macro days_until_as_of(moment) -%}
    cast({{ dbt.datediff('cast(' ~ moment ~ ' as date)', as_of_date(), 'day') }} as integer)
{%- endmacro %}
