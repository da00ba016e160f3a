-- Funnels are those of the settings, [funnels.<name>]; what an attempt is: docs block `funnel`.
{%- set funnels = var('funnels') %}

with
{%- for funnel in funnels.values() %}
best_{{ loop.index }} as (
    {{ best_attempts(funnel, ref('int_web_steps_ordered')) }}
){{ ',' if not loop.last }}
{%- else %}
nobody as (
    select cast(null as {{ dbt.type_string() }}) as user_id where 1 = 0
)
{%- endfor %}

{% for name, funnel in funnels.items() %}
{%- set outer = loop %}
{%- for step in funnel.steps %}
select
    '{{ name }}' as funnel,
    user_id,
    customer_id,
    device_type,
    {{ loop.index }} as step_number,
    '{{ step | replace("'", "''") }}' as step,
    t{{ loop.index }} as reached_at,
    {% if loop.first -%}
    cast(null as double)
    {%- else -%}
    cast({{ hours_between('t' ~ (loop.index - 1), 't' ~ loop.index) }} as double)
    {%- endif %} as hours_since_previous
from best_{{ outer.index }}
where reached >= {{ loop.index }}
{{ 'union all' if not (loop.last and outer.last) }}
{%- endfor %}
{%- else %}
select
    user_id as funnel,
    user_id,
    user_id as customer_id,
    user_id as device_type,
    0 as step_number,
    user_id as step,
    cast(null as timestamp) as reached_at,
    cast(null as double) as hours_since_previous
from nobody
{%- endfor %}
