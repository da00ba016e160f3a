{# Casts from the raw floor, where every column is text. One macro per type, used everywhere. #}

{# Trimmed text; an empty string is a missing value. The test for blanks at the ends costs a third
   of trimming, and hardly any text has them: on twenty million events that is felt. #}
{% macro to_text(column) -%}
    case
        when {{ column }} like ' %' or {{ column }} like '% ' or {{ column }} = ''
            then nullif(trim({{ column }}), '')
        else {{ column }}
    end
{%- endmacro %}

{# An id as text: trimmed, and without the trailing `.0` that pandas adds to whole numbers
   (`17850.0` → `17850`). Ids that are not all digits stay as they are (`85123A`, `A1.0`). #}
{% macro to_id(column) -%}
    case
        when {{ column }} like '%.0' or {{ column }} like ' %' or {{ column }} like '% ' or {{ column }} = ''
            then
                case
                    when {{ matches('trim(' ~ column ~ ')', '^[0-9]+[.]0$') }}
                        then substr(trim({{ column }}), 1, length(trim({{ column }})) - 2)
                    else nullif(trim({{ column }}), '')
                end
        else {{ column }}
    end
{%- endmacro %}

{# An e-mail address, lower case. #}
{% macro to_email(column) -%} lower({{ to_text(column) }}) {%- endmacro %}

{# A social handle: lower case, without leading @. #}
{% macro to_handle(column) -%} nullif(lower(trim(leading '@' from trim({{ column }}))), '') {%- endmacro %}

{# The network of a post or profile, to compare by: lower case, none is one of its own. #}
{% macro to_network(column) -%} coalesce(lower({{ to_text(column) }}), '') {%- endmacro %}

{# Money and quantities are exact: never a double. #}
{% macro to_decimal(column) -%} cast({{ to_text(column) }} as decimal(18, 4)) {%- endmacro %}
{% macro to_date(column) -%} cast({{ to_text(column) }} as date) {%- endmacro %}
{% macro to_boolean(column) -%} cast({{ to_text(column) }} as boolean) {%- endmacro %}
{% macro to_integer(column) -%} cast({{ to_text(column) }} as bigint) {%- endmacro %}
{% macro to_double(column) -%} cast({{ to_text(column) }} as double) {%- endmacro %}

{# A timestamp in UTC from ISO 8601 text: `Z`, an offset, or nothing (which means UTC).
   DuckDB's plain cast to timestamp drops an offset in silence (`10:00+02:00` → `10:00`), so text
   goes through a time-zone-aware type; the session's time zone is UTC (profiles.yml).
   Text that ends with Z takes the plain cast, which is twice as fast. #}
{% macro to_timestamp(column) -%}
    {{ return(adapter.dispatch('to_timestamp', 'tessera')(column)) }}
{%- endmacro %}

{% macro duckdb__to_timestamp(column) -%}
    case
        when {{ column }} like '%Z' then cast({{ column }} as timestamp)
        else timezone('UTC', cast(nullif(trim({{ column }}), '') as timestamptz))
    end
{%- endmacro %}

{# Spark honours the offset; the session's time zone must be UTC. #}
{% macro spark__to_timestamp(column) -%} cast(nullif(trim({{ column }}), '') as timestamp) {%- endmacro %}
