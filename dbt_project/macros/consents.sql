{# Condition: the behaviour of this customer may be analysed, by the setting privacy.analytics; docs
   block `analytics_consent`. #}
{% macro allows_analytics(customer_id) -%}
    {%- set mode = var('analytics_consent') -%}
    {%- if mode == 'opt-in' -%}
        {{ customer_id }} in ({{ customers_who_said('analytics', 'is_granted') }})
    {%- elif mode == 'opt-out' -%}
        {{ customer_id }} not in ({{ customers_who_said('analytics', 'not is_granted') }})
    {%- elif mode == 'legitimate-interest' -%}
        {{ customer_id }} not in ({{ customers_who_said('legitimate-interest', 'not is_granted') }})
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            "Variable analytics_consent is '" ~ mode ~ "': say opt-in, opt-out or legitimate-interest."
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro customers_who_said(purpose, what) -%}
    select customer_id from {{ ref('int_consents_decided') }} where purpose = '{{ purpose }}' and {{ what }}
{%- endmacro %}
