{# How people go through a shop, in the words of any vendor; docs block `journey_step`. #}

{# The states that a journey has beside its steps. No step is called so. #}
{% macro journey_states() -%} {{ return(['start', 'conversion', 'drop_off', 'other']) }} {%- endmacro %}

{# The step of an event by its name alone, for the few names that a shop has; null for a page. #}
{% macro named_step(event_type, event_name) -%}
    coalesce(
        {{ commerce_action(event_name) }},
        case {{ event_kind(event_type, event_name) }}
            when 'login' then 'login'
            when 'page_view' then null
            else coalesce(
                case
                    when lower({{ event_name }}) in ('{{ journey_states() | join("', '") }}')
                        then 'event ' || lower({{ event_name }})
                    else lower({{ event_name }})
                end,
                lower({{ event_type }}),
                'unnamed'
            )
        end
    )
{%- endmacro %}

{# The step of an event: its name's, else the part of the shop that its page is of. #}
{% macro journey_step(named_step, path) -%}
    coalesce({{ named_step }}, 'page /' || {{ first_segment(path) }}, 'page')
{%- endmacro %}

{# 'products' of /products/shoes, of https://shop.example/products and of products; '' of the root. #}
{% macro first_segment(path) -%}
    lower(case
        when {{ path }} like '%://%' then split_part({{ path }}, '/', 4)
        when {{ path }} like '/%' then split_part({{ path }}, '/', 2)
        else split_part({{ path }}, '/', 1)
    end)
{%- endmacro %}

{# Condition: the step is what the shop is for; setting journeys.conversions. #}
{% macro is_conversion(step) -%} {{ is_one_of(step, var('journey_conversions')) }} {%- endmacro %}

{# Condition: a text is one of those; false for none. #}
{% macro is_one_of(column, texts) -%}
    {%- set quoted = [] -%}
    {%- for text in texts -%}{%- do quoted.append("'" ~ (text | replace("'", "''")) ~ "'") -%}{%- endfor -%}
    {{ (column ~ ' in (' ~ quoted | join(', ') ~ ')') if quoted else 'false' }}
{%- endmacro %}

{# mobile, tablet, desktop, …: what the export says, else what the browser's name tells. #}
{% macro device_class(device_type, user_agent) -%}
    coalesce(
        lower({{ device_type }}),
        case
            when lower({{ user_agent }}) like '%ipad%' or lower({{ user_agent }}) like '%tablet%' then 'tablet'
            when lower({{ user_agent }}) like '%mobi%' or lower({{ user_agent }}) like '%android%' then 'mobile'
            when {{ user_agent }} is not null then 'desktop'
        end,
        'unknown'
    )
{%- endmacro %}

{# Condition: a visit may be analysed: her own if she allows it, and nobody's unless people must
   first be asked. #}
{% macro allows_journeys(customer_id) -%}
    {%- if var('analytics_consent') == 'opt-in' -%}
    {{ allows_analytics(customer_id) }}
    {%- else -%}
    ({{ customer_id }} is null or {{ allows_analytics(customer_id) }})
    {%- endif -%}
{%- endmacro %}

{# What is said of a funnel's step: SELECT of one row per funnel and step. #}
{% macro funnel_steps() %}
    {%- set rows = [] %}
    {%- for name, funnel in var('funnels').items() %}
        {%- for step in funnel.steps %}
            {%- do rows.append("select '" ~ name ~ "' as funnel, " ~ loop.index ~ " as step_number, '"
                ~ (step | replace("'", "''")) ~ "' as step") %}
        {%- endfor %}
    {%- endfor %}
    {{ rows | join(' union all ') if rows
        else "select '' as funnel, 0 as step_number, '' as step where 1 = 0" }}
{% endmacro %}

{# SELECT of the best attempt of each user at one funnel, one row per user; docs block `funnel`.
   `steps`: relation of the steps of visits. t1 … tn: when each step was reached, null if not.
   A row's passed_k counts the k-th step up to it, so the next one of that kind is number
   passed_k + 1: a join finds it, and the steps are sorted once. #}
{% macro best_attempts(funnel, steps) %}
    {%- set last = funnel.steps | length %}
    {%- set in_order = 'partition by user_id order by occurred_at, session_id, step_number' %}
    with followed as (
        select
            user_id,
            customer_id,
            device_type,
            step,
            occurred_at,
            row_number() over ({{ in_order }}) as place
            {%- for k in range(2, last + 1) %},
            count(case when {{ is_one_of('step', [funnel.steps[k - 1]]) }} then 1 end) over (
                {{ in_order }} rows unbounded preceding
            ) as passed_{{ k }}
            {%- endfor %}
        from {{ steps }}
        where {{ is_one_of('step', funnel.steps) }}
    ),

    tries as (
        select
            t1.user_id,
            t1.customer_id,
            t1.device_type,
            t1.place,
            1{% for k in range(2, last + 1) %} + case when t{{ k }}.place is not null then 1 else 0 end{% endfor %} as reached,
            {%- for k in range(1, last + 1) %}
            t{{ k }}.occurred_at as t{{ k }}{{ ',' if not loop.last }}
            {%- endfor %}
        from followed as t1
        {%- for k in range(2, last + 1) %}
        left join followed as t{{ k }}
            on t1.user_id = t{{ k }}.user_id
            and t{{ k - 1 }}.passed_{{ k }} + 1 = t{{ k }}.passed_{{ k }}
            and {{ is_one_of('t' ~ k ~ '.step', [funnel.steps[k - 1]]) }}
            and t{{ k }}.occurred_at <= {{ dbt.dateadd('hour', funnel.window_hours, 't1.occurred_at') }}
        {%- endfor %}
        where {{ is_one_of('t1.step', [funnel.steps[0]]) }}
    ),

    best as (
        select
            user_id,
            min(place) as place
        from tries
        where (user_id, reached) in (select user_id, max(reached) from tries group by user_id)
        group by user_id
    )

    select tries.*
    from tries
    inner join best on tries.user_id = best.user_id and tries.place = best.place
{% endmacro %}
