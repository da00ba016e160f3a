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
    select customer_id, created_at, 1 as is_contact
    from {{ ref('stg_crm__contacts') }}
    where created_at is null or created_at < {{ as_of_start() }}
    {% for name in sources.values() %}
    union all
    select customer_id, cast(null as timestamp) as created_at, 0 as is_contact from {{ ref(name) }}
    {% endfor %}
    -- A login in somebody else's session makes a customer all the same.
    union all
    select distinct customer_id, cast(null as timestamp) as created_at, 0 as is_contact
    from {{ ref('int_web_events_condensed') }}
    where customer_id is not null
        and not is_crawler
        and event_date < {{ as_of_date() }}
        and {{ allows_analytics('customer_id') }}
) as appearances
group by customer_id
