-- Events of the exports before the as-of date = events of sessions + events left out, each once.
with staged as (
    select count(*) as events
    from {{ ref('stg_web__events') }}
    where occurred_at < {{ as_of_start() }}
),

placed as (
    select coalesce(sum(events), 0) as events
    from (
        select sum(events) as events from {{ ref('int_web_sessions_assembled') }}
        union all
        select sum(events) as events from {{ ref('int_web_events_excluded') }}
    ) as places
)

select staged.events as staged_events, placed.events as placed_events
from staged
cross join placed
where staged.events <> placed.events
