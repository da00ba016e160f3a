{# A score from 1 to 5 over the rows of the query: 1 + floor(5 × share of rows strictly worse).
   5 is for those better than at least four fifths. Equal values always get equal scores; when all
   are equal, all get 1. `better` says whether a high or a low value is good. #}
{% macro score_1_to_5(value, better='high') -%}
    cast(1 + floor(
        cast(5 * (rank() over (order by {{ value }} {{ 'asc' if better == 'high' else 'desc' }} nulls first) - 1) as double)
        / cast(count(*) over () as double)
    ) as integer)
{%- endmacro %}

{# Where a customer with a purchase stands in her own rhythm; docs block `lifecycle_stage`. #}
{% macro lifecycle_stage(frequency, days_since_first, recency_days, inter_purchase_days, median_rhythm_days) -%}
    {%- set rhythm -%}
        greatest(
            coalesce({{ inter_purchase_days }}, {{ median_rhythm_days }}, {{ var('lifecycle_default_rhythm_days') }}),
            {{ var('lifecycle_min_rhythm_days') }}
        )
    {%- endset -%}
    case
        when coalesce({{ frequency }}, 0) = 0 then 'prospect'
        when {{ days_since_first }} <= {{ var('lifecycle_new_days') }}
            and {{ frequency }} <= {{ var('lifecycle_new_max_orders') }} then 'new'
        when {{ recency_days }} <= {{ var('lifecycle_active_ratio') }} * {{ rhythm }} then 'active'
        when {{ recency_days }} <= {{ var('lifecycle_slipping_ratio') }} * {{ rhythm }} then 'slipping'
        else 'dormant'
    end
{%- endmacro %}
