-- Which addresses a customer was ever seen with: a consent given by e-mail is hers, whoever else
-- shares the address.
{% set sources = {
    'stg_crm__contacts': 'created_at',
    'stg_shop__orders': 'ordered_at',
    'stg_support__tickets': 'opened_at',
    'stg_feedback__survey_answers': 'answered_at',
    'stg_marketing__campaign_events': 'occurred_at',
} %}

{% for name, seen_at in sources.items() %}
select customer_id, email_key from {{ ref(name) }}
where customer_id is not null and email_key is not null
    and ({{ seen_at }} is null or {{ seen_at }} < {{ as_of_start() }})
{{ 'union' if not loop.last }}
{% endfor %}
