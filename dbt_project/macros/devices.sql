{# Who visits, when the export does not say: docs block `visiting_device`. #}
{% macro visiting_device(anonymous_id, customer_id, ip, user_agent) -%}
    coalesce(
        {{ to_device(anonymous_id) }},
        'customer:' || {{ to_customer_key(customer_id) }},
        'address:' || {{ pseudonym('device', to_text(ip) ~ " || '|' || coalesce(" ~ to_text(user_agent) ~ ", '')") }}
    )
{%- endmacro %}

{# The log of touched devices, ops.touched_devices: one row per device and date whose events are
   not what they were. stg_web__events writes it, int_web_events_condensed ticks it off
   (is_condensed), int_web_sessions_delimited strikes it out. Each does so in the transaction of its
   own change, so a run that breaks off loses nothing. A row without a date stands for all devices
   and all dates: the table was built anew. #}

{# Before a full build: whoever reads the table must read all of it. #}
{% macro tell_of_rebuild(is_condensed) -%}
    {%- if not is_incremental() -%}
    insert into {{ source('ops', 'touched_devices') }} (is_condensed) values ({{ is_condensed }})
    {%- endif -%}
{%- endmacro %}

{# Devices and dates of the events that go and of those that come. #}
{% macro tell_touched_devices(target, new, is_replaced) -%}
    insert into {{ source('ops', 'touched_devices') }} (device_id, event_date, is_condensed)
    select distinct device_id, cast(occurred_at as date) as event_date, false as is_condensed
    from (
        select device_id, occurred_at from {{ target }} where {{ is_replaced }}
        union all
        select device_id, occurred_at from {{ new }}
    ) as changed
{%- endmacro %}

{% macro tick_touched_devices_off() -%}
    update {{ source('ops', 'touched_devices') }} set is_condensed = true where not is_condensed
{%- endmacro %}

{% macro strike_touched_devices_out() -%}
    delete from {{ source('ops', 'touched_devices') }} where is_condensed
{%- endmacro %}

{# Whether only the touched devices need work: the table is there, and no log entry says otherwise. #}
{% macro follows_log() -%}
    {%- if not is_incremental() -%} {{ return(false) }} {%- endif -%}
    {%- set query = 'select count(*) from ' ~ source('ops', 'touched_devices') ~ ' where event_date is null' -%}
    {{ return(run_query(query).columns[0].values()[0] == 0) }}
{%- endmacro %}

{# 00:00 of the first touched date: what happened before it is as it was. #}
{% macro first_touched_at() -%}
    {%- set query = "select coalesce(min(event_date), cast('9999-12-31' as date)) from " ~ source('ops', 'touched_devices') -%}
    cast('{{ run_query(query).columns[0].values()[0] }} 00:00:00' as timestamp)
{%- endmacro %}

{# Condition: the row's device and date are touched. Nobody's events have no device. #}
{% macro is_touched(relation_alias, event_date) -%}
    exists (
        select 1 from {{ source('ops', 'touched_devices') }} as touched
        where touched.device_id is not distinct from {{ relation_alias }}.device_id
            and touched.event_date = {{ event_date }}
    )
{%- endmacro %}

{# Which rows of int_web_events_condensed are built again. #}
{% macro touched_slots(slots) -%}
    {{ is_touched(slots, slots ~ '.event_date') if follows_log() else 'true' }}
{%- endmacro %}

{# Touched devices, and from when on their sessions are built again: from 00:00 of the first touched
   date, or from the beginning of a session that may reach into it. What ended session_gap_minutes
   before that date or earlier stays, whatever comes. #}
{% macro devices_to_rebuild(sessions) %}
    select
        touched.device_id,
        coalesce(least(touched.touched_at, min(sessions.started_at)), touched.touched_at) as rebuilt_from
    from (
        select device_id, cast(min(event_date) as timestamp) as touched_at
        from {{ source('ops', 'touched_devices') }}
        where device_id is not null
        group by device_id
    ) as touched
    left join {{ sessions }} as sessions
        on touched.device_id = sessions.device_id
        and sessions.ended_at > {{ dbt.dateadd('minute', '-' ~ var('session_gap_minutes'), 'touched.touched_at') }}
    group by touched.device_id, touched.touched_at
{% endmacro %}

{# Which rows of int_web_sessions_delimited are built again. #}
{% macro touched_sessions(sessions) -%}
    {%- if follows_log() -%}
    exists (
        select 1 from ({{ devices_to_rebuild(sessions) }}) as touched
        where touched.device_id = {{ sessions }}.device_id
            and touched.rebuilt_from <= {{ sessions }}.started_at
    )
    {%- else -%} true
    {%- endif -%}
{%- endmacro %}
