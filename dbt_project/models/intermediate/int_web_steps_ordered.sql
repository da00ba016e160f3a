-- The one pass over the events: whatever asks for their order reads this table. All windows are over
-- one and the same order, so it is sorted once.
{% set visit = 'partition by session_id order by occurred_at, _file, _line, _item' %}
{% set begun_after = days_before_as_of(var('journey_days')) %}

with agents as (
    select
        user_agent,
        {{ is_crawler('user_agent') }} as is_crawler,
        {{ device_class('cast(null as ' ~ dbt.type_string() ~ ')', 'user_agent') }} as device_type
    from {{ ref('stg_web__user_agents') }}
),

-- A name is looked up once, not at each of its events.
names as (
    select
        event_type,
        event_name,
        {{ named_step('event_type', 'event_name') }} as named_step
    from (select distinct event_type, event_name from {{ ref('stg_web__events') }}) as met
),

visits as (
    select
        session_id,
        device_id,
        customer_id,
        coalesce(customer_id, 'device ' || device_id) as user_id,
        started_at,
        ended_at
    from {{ ref('int_web_sessions_assembled') }}
    where started_at >= {{ begun_after }} and {{ allows_journeys('customer_id') }}
),

steps as (
    select
        visits.session_id,
        visits.user_id,
        visits.customer_id,
        coalesce(nullif(lower(events.device_type), 'all'), agents.device_type, 'unknown') as device_type,
        events.occurred_at,
        {{ journey_step('names.named_step', 'events.path') }} as step,
        events._file,
        events._line,
        events._item
    from {{ ref('stg_web__events') }} as events
    inner join visits
        on events.device_id = visits.device_id
        and events.occurred_at between visits.started_at and visits.ended_at
    inner join names
        on events.event_type is not distinct from names.event_type
        and events.event_name is not distinct from names.event_name
    left join agents on events.user_agent = agents.user_agent
    where events.occurred_at >= {{ begun_after }}
        and events.occurred_at < {{ as_of_start() }}
        and not coalesce(agents.is_crawler, false)
)

select
    session_id,
    user_id,
    customer_id,
    first_value(device_type) over ({{ visit }}) as device_type,
    occurred_at,
    row_number() over ({{ visit }}) as step_number,
    step,
    lead(step) over ({{ visit }}) as next_step,
    lead(step, 2) over ({{ visit }}) as third_step,
    lead(step, 3) over ({{ visit }}) as fourth_step,
    -- Whether she has not converted yet, and whether she does now or later.
    count(case when {{ is_conversion('step') }} then 1 end) over (
        {{ visit }} rows between unbounded preceding and 1 preceding
    ) = 0 as is_on_the_way,
    count(case when {{ is_conversion('step') }} then 1 end) over (
        {{ visit }} rows between current row and unbounded following
    ) > 0 as is_converting
from steps
