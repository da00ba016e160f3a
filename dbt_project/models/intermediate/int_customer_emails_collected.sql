-- Which addresses a customer was ever seen with: a consent given by e-mail is hers, whoever else
-- shares the address.
{% set sources = {
    'stg_crm__contacts': 'created_at',
    'int_orders_known': 'ordered_at',
    'stg_support__tickets': 'opened_at',
    'stg_feedback__survey_answers': 'answered_at',
    'stg_marketing__campaign_events': 'occurred_at',
} %}

{% for name, seen_at in sources.items() %}
select accounts.customer_id, seen.email_key
from {{ ref(name) }} as seen
inner join {{ ref('int_accounts_resolved') }} as accounts on seen.account_id = accounts.account_id
where seen.email_key is not null
    and (seen.{{ seen_at }} is null or seen.{{ seen_at }} < {{ as_of_start() }})
{{ 'union' if not loop.last }}
{% endfor %}
union
select customer_id, email_key from {{ ref('int_emails_resolved') }}
