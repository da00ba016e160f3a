-- Known crawlers are left out, and so is a purchase told again: shops send it anew when somebody
-- reloads the page that says thank you. The first one counts.

with crawlers as (
    select user_agent from {{ ref('stg_web__user_agents') }}
    where {{ is_crawler('user_agent') }}
),

events as (
    select
        events.event_id,
        events.device_id,
        accounts.customer_id,
        events.tracker_session_id,
        events.occurred_at,
        {{ commerce_action('events.event_name') }} as action,
        events.product_id,
        events.category,
        events.products,
        events.cart_id,
        events.cart_value,
        events.checkout_step,
        events.order_id,
        events.revenue,
        events.currency,
        events._file,
        events._load_id,
        events._line,
        events._item
    from {{ ref('stg_web__events') }} as events
    left join crawlers on events.user_agent = crawlers.user_agent
    left join {{ ref('int_accounts_resolved') }} as accounts on events.account_id = accounts.account_id
    where events.occurred_at < {{ as_of_start() }}
        and crawlers.user_agent is null
        and (
            {{ commerce_action('events.event_name') }} is not null
            or events.products is not null
            or events.product_id is not null
        )
),

purchases as (
    select
        _load_id,
        _line,
        _item,
        row_number() over (
            partition by order_id order by occurred_at, event_id nulls last, _file, _line, _item
        ) as times_told
    from events
    where action = 'purchase' and order_id is not null
)

select
    events.event_id,
    events.device_id,
    sessions.session_id,
    coalesce(sessions.customer_id, events.customer_id) as customer_id,
    events.tracker_session_id,
    events.occurred_at,
    events.action,
    events.product_id,
    events.category,
    events.products,
    events.cart_id,
    events.cart_value,
    events.checkout_step,
    events.order_id,
    events.revenue,
    events.currency,
    events._load_id,
    events._line,
    events._item
from events
left join purchases
    on events._load_id = purchases._load_id
    and events._line = purchases._line
    and events._item = purchases._item
left join {{ ref('int_web_sessions_assembled') }} as sessions
    on events.device_id = sessions.device_id
    and events.occurred_at between sessions.started_at and sessions.ended_at
where coalesce(purchases.times_told, 1) = 1
