-- Shops have thousands of events and pages. What few visits take is shown as 'other'; so is what few
-- people take: a page's path may hold a name.

with taken as (
    select distinct session_id, user_id, step from {{ ref('int_web_steps_ordered') }}
),

ranked as (
    select
        step,
        count(*) as sessions,
        count(distinct user_id) as users,
        row_number() over (order by count(*) desc, step) as place
    from taken
    group by step
)

select
    step,
    cast(sessions as bigint) as sessions,
    cast(users as bigint) as users,
    case
        when {{ is_conversion('step') }} then 'conversion'
        when place <= {{ var('journey_max_steps') }} and users >= {{ var('journey_min_users') }} then step
        else 'other'
    end as shown_as
from ranked
