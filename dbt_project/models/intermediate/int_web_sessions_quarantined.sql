{{ config(schema='quarantine', alias='web_sessions') }}

select
    session_id,
    device_id,
    started_at,
    ended_at,
    events,
    excluded_because as reason
from {{ ref('int_web_sessions_judged') }}
where excluded_because in ('too long', 'too many events')
