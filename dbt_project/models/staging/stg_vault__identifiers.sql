-- The one place past raw that says who is who. Nothing but identity resolution, the reading of texts
-- and activation may read it; docs/how-to/privacy.md.
{% set customers = [
    'contacts', 'consents', 'demographics', 'orders', 'order_lines', 'tickets', 'survey_answers',
    'campaign_events', 'web_events', 'app_events',
] %}
{% set emails = [
    'contacts', 'consents', 'demographics', 'orders', 'tickets', 'survey_answers', 'campaign_events',
] %}
{% set handles = [
    ('contacts', 'handle'), ('posts', 'author_handle'), ('profiles', 'handle'),
    ('follows', 'follower_handle'), ('follows', 'followed_handle'),
] %}
{% set texts = {
    'post_text': ('posts', 'text'),
    'ticket_subject': ('tickets', 'subject'),
    'ticket_body': ('tickets', 'body'),
    'survey_comment': ('survey_answers', 'comment'),
    'refund_reason': ('refunds', 'reason'),
} %}
{% set details = {
    'email': to_email('email'),
    'phone': to_text('phone'),
    'first_name': to_text('first_name'),
    'last_name': to_text('last_name'),
    'birth_date': 'cast(' ~ to_date('birth_date') ~ ' as ' ~ dbt.type_string() ~ ')',
    'street': to_text('street'),
    'postal_code': to_text('postal_code'),
    'handle': to_handle('handle'),
    'external_id': to_text('external_id'),
} %}

with superseded as (
    {{ superseded_rows(
        source('raw', 'contacts'),
        {'customer_id': to_customer('customer_id')},
        newest_by=as_known(to_timestamp('updated_at')),
    ) }}
),

contacts as (
    select * from {{ source('raw', 'contacts') }} as source
    where {{ is_newest('source') }}
),

customers as (
    {% for kind in customers %}
    select {{ to_customer('customer_id') }} as customer_id from {{ source('raw', kind) }}
    {{ 'union' if not loop.last }}
    {% endfor %}
),

emails as (
    {% for kind in emails %}
    select {{ to_email('email') }} as email from {{ source('raw', kind) }}
    {{ 'union' if not loop.last }}
    {% endfor %}
),

handles as (
    {% for kind, column in handles %}
    select {{ to_handle(column) }} as handle from {{ source('raw', kind) }}
    {{ 'union' if not loop.last }}
    {% endfor %}
),

authors as (
    {% for kind in ['posts', 'profiles'] %}
    select {{ to_author('network', 'author_id') }} as author from {{ source('raw', kind) }}
    {{ 'union' if not loop.last }}
    {% endfor %}
),

texts as (
    {% for field, (kind, column) in texts.items() %}
    select '{{ field }}' as field, {{ to_text(column) }} as text from {{ source('raw', kind) }}
    {{ 'union' if not loop.last }}
    {% endfor %}
),

identifiers as (
    select 'customer' as kind, {{ pseudonym('customer', 'customer_id') }} as pseudonym, 'customer_id' as field, customer_id as value
    from customers
    {% for field, value in details.items() %}
    union all
    select 'customer' as kind, {{ to_customer_key('customer_id') }} as pseudonym, '{{ field }}' as field, {{ value }} as value
    from contacts
    {% endfor %}
    union all
    select 'email' as kind, {{ pseudonym('email', 'email') }} as pseudonym, 'email' as field, email as value
    from emails
    union all
    select 'handle' as kind, {{ pseudonym('handle', 'handle') }} as pseudonym, 'handle' as field, handle as value
    from handles
    union all
    select 'author' as kind, {{ pseudonym('author', 'author') }} as pseudonym, 'author' as field, author as value
    from authors
    union all
    select 'text' as kind, {{ pseudonym('text', 'text') }} as pseudonym, field, text as value
    from texts
)

select kind, pseudonym, field, value
from identifiers
where value is not null and pseudonym is not null
