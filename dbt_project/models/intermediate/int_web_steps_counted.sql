with taken_in_visits as (
    select
        steps.device_type,
        ranked.shown_as as step,
        steps.session_id,
        count(*) as visits,
        max(case when steps.is_converting then 1 else 0 end) as is_converting
    from {{ ref('int_web_steps_ordered') }} as steps
    inner join {{ ref('int_web_steps_ranked') }} as ranked on steps.step = ranked.step
    where steps.is_on_the_way and ranked.shown_as <> 'conversion'
    group by steps.device_type, ranked.shown_as, steps.session_id
),

counted as (
    select
        device_type,
        step,
        cast(sum(visits) as bigint) as visits,
        count(*) as sessions,
        cast(sum(is_converting) as bigint) as converting_sessions
    from taken_in_visits
    group by device_type, step
)

select * from counted
union all
select
    'all' as device_type,
    step,
    cast(sum(visits) as bigint) as visits,
    cast(sum(sessions) as bigint) as sessions,
    cast(sum(converting_sessions) as bigint) as converting_sessions
from counted
group by step
