-- Shops have thousands of events and pages. What few visits take is shown as 'other'.

with ranked as (
    select
        step,
        count(*) as sessions,
        row_number() over (order by count(*) desc, step) as place
    from (select distinct session_id, step from {{ ref('int_web_steps_ordered') }}) as taken
    group by step
)

select
    step,
    cast(sessions as bigint) as sessions,
    case
        when {{ is_conversion('step') }} then 'conversion'
        when place <= {{ var('journey_max_steps') }} then step
        else 'other'
    end as shown_as
from ranked
