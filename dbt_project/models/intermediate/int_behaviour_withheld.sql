-- What is known of people's behaviour and not used, because they do not allow it.

with behaviour as (
    select 'web sessions' as behaviour, customer_id
    from {{ ref('int_web_sessions_assembled') }}
    union all
    select 'app events' as behaviour, accounts.customer_id
    from {{ ref('stg_app__events') }} as events
    inner join {{ ref('int_accounts_resolved') }} as accounts on events.account_id = accounts.account_id
    where events.occurred_at < {{ as_of_start() }}
    union all
    select 'campaign opens and clicks' as behaviour, coalesce(accounts.customer_id, emails.customer_id) as customer_id
    from {{ ref('stg_marketing__campaign_events') }} as events
    left join {{ ref('int_accounts_resolved') }} as accounts on events.account_id = accounts.account_id
    left join {{ ref('int_emails_resolved') }} as emails on events.email_key = emails.email_key
    where events.occurred_at < {{ as_of_start() }} and events.event in ('opened', 'clicked')
    union all
    select 'social posts' as behaviour, handles.customer_id
    from {{ ref('stg_social__posts') }} as posts
    inner join {{ ref('int_handles_resolved') }} as handles on posts.author_handle_key = handles.handle_key
    where posts.posted_at < {{ as_of_start() }}
)

select
    behaviour,
    count(distinct customer_id) as customers,
    count(*) as withheld
from behaviour
where customer_id is not null and not ({{ allows_analytics('customer_id') }})
group by behaviour
