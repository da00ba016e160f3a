with rhythms as (
    select
        days.*,
        greatest(
            {{ share(
                'coalesce(gaps.usual_gap_days, ' ~ var('lifecycle_default_rhythm_days') ~ ') + days.days_since_first',
                'days.day_number'
            ) }},
            {{ var('lifecycle_min_rhythm_days') }}
        ) as rhythm_days
    from {{ ref('int_customer_order_days_spaced') }} as days
    left join {{ ref('int_usual_gaps_measured') }} as gaps
        on {{ month_of('days.order_date') }} = gaps.month
),

limits as (
    select
        rhythms.*,
        {{ days_of_silence(var('lifecycle_slipping_ratio'), 'rhythm_days') }} as slipping_after_days,
        {{ days_of_silence(var('lifecycle_dormant_ratio'), 'rhythm_days') }} as dormant_after_days,
        {{ days_of_silence(var('lifecycle_churned_ratio'), 'rhythm_days') }} as churned_after_days,
        {{ var('lifecycle_onboarding_days') }} - days_since_first as onboarding_days_left
    from rhythms
)

select
    customer_id,
    order_date,
    silence_days,
    rhythm_days,
    slipping_after_days,
    dormant_after_days,
    churned_after_days,
    onboarding_days_left,
    case
        when gap_days > lag(churned_after_days) over (partition by customer_id order by order_date)
            then 'won_back'
        when orders_so_far <= {{ var('lifecycle_onboarding_orders') }} and onboarding_days_left > 0
            then 'onboarding'
        else 'active'
    end as begins_as
from limits
