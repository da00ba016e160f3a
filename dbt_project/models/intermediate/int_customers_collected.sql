-- Everybody who appears anywhere before the as-of date.
{% set sources = {
    'orders': 'int_customer_orders_aggregated',
    'web': 'int_customer_web_aggregated',
    'app': 'int_customer_app_aggregated',
    'support': 'int_customer_support_aggregated',
    'survey': 'int_customer_surveys_aggregated',
    'campaign': 'int_customer_campaigns_aggregated',
} %}

select customer_id, min(created_at) as contact_created_at, max(is_contact) = 1 as has_contact
from (
    select accounts.customer_id, contacts.created_at, 1 as is_contact
    from {{ ref('stg_crm__contacts') }} as contacts
    inner join {{ ref('int_accounts_resolved') }} as accounts on contacts.account_id = accounts.account_id
    where contacts.created_at is null or contacts.created_at < {{ as_of_start() }}
    {% for name in sources.values() %}
    union all
    select customer_id, cast(null as timestamp) as created_at, 0 as is_contact from {{ ref(name) }}
    {% endfor %}
    -- A login in somebody else's session makes a customer all the same.
    union all
    select distinct accounts.customer_id, cast(null as timestamp) as created_at, 0 as is_contact
    from {{ ref('int_web_events_condensed') }} as slots
    inner join {{ ref('int_accounts_resolved') }} as accounts on slots.account_id = accounts.account_id
    where not slots.is_crawler
        and slots.event_date < {{ as_of_date() }}
        and {{ allows_analytics('accounts.customer_id') }}
) as appearances
group by customer_id
