-- From one order to the next: what it makes of her, and what the silence after it does. `days` after
-- the order a change is over with the day; the run as of the next day sees it.

with rhythms as (
    select * from {{ ref('int_customer_rhythms_timed') }}
),

reached as (
    select customer_id, order_date, 0 as days, begins_as as stage, 'order' as cause
    from rhythms
    union all
    select customer_id, order_date, onboarding_days_left as days, 'active' as stage, 'time' as cause
    from rhythms
    where begins_as = 'onboarding' and onboarding_days_left < least(silence_days, slipping_after_days)
    union all
    select customer_id, order_date, slipping_after_days as days, 'slipping' as stage, 'silence' as cause
    from rhythms
    where slipping_after_days < least(silence_days, dormant_after_days)
    union all
    select customer_id, order_date, dormant_after_days as days, 'dormant' as stage, 'silence' as cause
    from rhythms
    where dormant_after_days < least(silence_days, churned_after_days)
    union all
    select customer_id, order_date, churned_after_days as days, 'churned' as stage, 'silence' as cause
    from rhythms
    where churned_after_days < silence_days
),

dated as (
    select
        customer_id,
        cast({{ dbt.dateadd('day', 'days', 'order_date') }} as date) as changed_on,
        stage,
        cause
    from reached
),

followed as (
    select
        customer_id,
        changed_on,
        coalesce(lag(stage) over (partition by customer_id order by changed_on), 'prospect') as from_stage,
        stage as to_stage,
        cause
    from dated
)

select
    customer_id,
    changed_on,
    lead(changed_on) over (partition by customer_id order by changed_on) as left_on,
    from_stage,
    to_stage,
    cause
from followed
where from_stage <> to_stage
