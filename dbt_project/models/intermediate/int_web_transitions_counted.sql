with steps as (
    select
        steps.session_id,
        steps.device_type,
        steps.step_number,
        this.shown_as as step,
        coalesce(following.shown_as, 'drop_off') as next_step
    from {{ ref('int_web_steps_ordered') }} as steps
    inner join {{ ref('int_web_steps_ranked') }} as this on steps.step = this.step
    left join {{ ref('int_web_steps_ranked') }} as following on steps.next_step = following.step
    where steps.is_on_the_way
),

taken as (
    select
        session_id,
        device_type,
        'start' as from_step,
        step as to_step
    from steps
    where step_number = 1
    union all
    select
        session_id,
        device_type,
        step as from_step,
        next_step as to_step
    from steps
    where step <> 'conversion'
),

-- Per visit first, so that a visit counts once however often it goes the same way.
taken_in_visits as (
    select device_type, from_step, to_step, session_id, count(*) as transitions
    from taken
    group by device_type, from_step, to_step, session_id
),

counted as (
    select
        device_type,
        from_step,
        to_step,
        cast(sum(transitions) as bigint) as transitions,
        count(*) as sessions
    from taken_in_visits
    group by device_type, from_step, to_step
)

select * from counted
union all
select
    'all' as device_type,
    from_step,
    to_step,
    cast(sum(transitions) as bigint) as transitions,
    cast(sum(sessions) as bigint) as sessions
from counted
group by from_step, to_step
