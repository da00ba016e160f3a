{# What tells that a buyer may be leaving; docs block `churn_indicators`. Each is a condition, null
   where nothing is known. #}
{% macro churn_flags(overdue_ratio, purchase_trend, session_trend) -%}
    {{ return({
        'is_overdue': overdue_ratio ~ ' > ' ~ var('lifecycle_slipping_ratio'),
        'is_spend_declining': purchase_trend ~ ' <= ' ~ var('declining_trend'),
        'is_engagement_falling': session_trend ~ ' <= ' ~ var('declining_trend'),
    }) }}
{%- endmacro %}

{# How many of them hold. #}
{% macro churn_indicators(overdue_ratio, purchase_trend, session_trend) -%}
    {%- set flags = churn_flags(overdue_ratio, purchase_trend, session_trend) -%}
    cast({% for flag in flags.values() -%}
        case when {{ flag }} then 1 else 0 end{{ ' + ' if not loop.last }}
    {%- endfor %} as bigint)
{%- endmacro %}
