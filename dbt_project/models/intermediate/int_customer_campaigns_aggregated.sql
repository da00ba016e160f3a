-- A send is one variant of one campaign to one customer by one channel; opening it three times
-- opens it once, and a click proves that it was opened. Sending is what the company did; opening is
-- what she did, and only known of those who allow it.

with events as (
    select
        coalesce(accounts.customer_id, emails.customer_id) as customer_id,
        events.campaign_id,
        events.channel,
        events.variant,
        events.event
    from {{ ref('stg_marketing__campaign_events') }} as events
    left join {{ ref('int_accounts_resolved') }} as accounts on events.account_id = accounts.account_id
    left join {{ ref('int_emails_resolved') }} as emails on events.email_key = emails.email_key
    where events.occurred_at < {{ as_of_start() }}
),

sends as (
    select
        customer_id,
        max(case when event = 'sent' then 1 else 0 end) as was_sent,
        max(case when event in ('opened', 'clicked') then 1 else 0 end) as was_opened,
        max(case when event = 'clicked' then 1 else 0 end) as was_clicked
    from events
    where customer_id is not null
    group by customer_id, campaign_id, channel, variant
),

totals as (
    select
        customer_id,
        cast(sum(was_sent) as bigint) as campaign_sends,
        {{ share('sum(was_sent * was_opened)', 'sum(was_sent)') }} as campaign_open_rate,
        {{ share('sum(was_sent * was_clicked)', 'sum(was_sent)') }} as campaign_click_rate
    from sends
    group by customer_id
),

permitted as (
    select customer_id from totals
    where {{ allows_analytics('customer_id') }}
)

select
    totals.customer_id,
    totals.campaign_sends,
    case when permitted.customer_id is not null then totals.campaign_open_rate end as campaign_open_rate,
    case when permitted.customer_id is not null then totals.campaign_click_rate end as campaign_click_rate
from totals
left join permitted on totals.customer_id = permitted.customer_id
