-- A send is one variant of one campaign to one customer by one channel; opening it three times
-- opens it once, and a click proves that it was opened.

with sends as (
    select
        customer_id,
        max(case when event = 'sent' then 1 else 0 end) as was_sent,
        max(case when event in ('opened', 'clicked') then 1 else 0 end) as was_opened,
        max(case when event = 'clicked' then 1 else 0 end) as was_clicked
    from {{ ref('stg_marketing__campaign_events') }}
    where occurred_at < {{ as_of_start() }}
    group by customer_id, campaign_id, channel, variant
)

select
    customer_id,
    cast(sum(was_sent) as bigint) as campaign_sends,
    {{ share('sum(was_sent * was_opened)', 'sum(was_sent)') }} as campaign_open_rate,
    {{ share('sum(was_sent * was_clicked)', 'sum(was_sent)') }} as campaign_click_rate
from sends
group by customer_id
