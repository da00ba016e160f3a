{# How reasons are put into words. #}

{# A number with two decimals at most, without decimals from 100 on. #}
{% macro figure_in_words(value) -%}
    case
        when abs({{ value }}) >= 100 or {{ value }} = floor({{ value }})
            then cast(cast(round({{ value }}) as decimal(38, 0)) as {{ dbt.type_string() }})
        else cast(cast({{ value }} as decimal(18, 2)) as {{ dbt.type_string() }})
    end
{%- endmacro %}

{# `recency days 12 (typical here 15, there 40)`; null without a feature. #}
{% macro reason_in_words(feature, value, here, there) -%}
    replace({{ feature }}, '_', ' ') || ' ' || {{ figure_in_words(value) }}
    || coalesce(
        ' (typical here ' || {{ figure_in_words(here) }}
        || ', there ' || {{ figure_in_words(there) }} || ')',
        ''
    )
{%- endmacro %}
