-- What somebody said in one go: a post, a ticket with subject and body, an answer, a refund's reason.
with handles as (
    select handle_key, customer_id from {{ ref('int_handles_resolved') }}
),

authors as (
    select profiles.author_key, min(handles.customer_id) as customer_id
    from {{ ref('stg_social__profiles') }} as profiles
    inner join handles on profiles.handle_key = handles.handle_key
    group by profiles.author_key
),

posts as (
    select
        'post' as source,
        posts._load_id,
        posts._line,
        posts._item,
        coalesce(handles.customer_id, authors.customer_id) as customer_id,
        posts.posted_at as said_at,
        posts.text_hash
    from {{ ref('stg_social__posts') }} as posts
    left join handles on posts.author_handle_key = handles.handle_key
    left join authors on posts.author_handle_key is null and posts.author_key = authors.author_key
),

-- Who is no customer of ours can have said neither yes nor no: he counts unless a yes is needed.
permitted_posts as (
    select * from posts
    where {{ allows_analytics('customer_id') }}
    {% if var('analytics_consent') != 'opt-in' %} or customer_id is null {% endif %}
),

tickets as (
    select
        'ticket' as source,
        tickets._load_id,
        tickets._line,
        tickets._item,
        coalesce(accounts.customer_id, emails.customer_id) as customer_id,
        tickets.opened_at as said_at,
        tickets.subject_hash,
        tickets.body_hash
    from {{ ref('stg_support__tickets') }} as tickets
    left join {{ ref('int_accounts_resolved') }} as accounts on tickets.account_id = accounts.account_id
    left join {{ ref('int_emails_resolved') }} as emails on tickets.email_key = emails.email_key
),

answers as (
    select
        'survey' as source,
        answers._load_id,
        answers._line,
        answers._item,
        coalesce(accounts.customer_id, emails.customer_id) as customer_id,
        answers.answered_at as said_at,
        answers.comment_hash as text_hash
    from {{ ref('stg_feedback__survey_answers') }} as answers
    left join {{ ref('int_accounts_resolved') }} as accounts on answers.account_id = accounts.account_id
    left join {{ ref('int_emails_resolved') }} as emails on answers.email_key = emails.email_key
),

refunds as (
    select
        'refund' as source,
        refunds._load_id,
        refunds._line,
        refunds._item,
        orders.customer_id,
        refunds.refunded_at as said_at,
        refunds.reason_hash as text_hash
    from {{ ref('stg_shop__refunds') }} as refunds
    left join {{ ref('int_orders_assembled') }} as orders on refunds.order_id = orders.order_id
),

{% set said = "source, _load_id, _line, _item, customer_id, said_at" %}
texts as (
    select {{ said }}, text_hash from permitted_posts
    union all
    select {{ said }}, subject_hash as text_hash from tickets
    union all
    select {{ said }}, body_hash as text_hash from tickets
    union all
    select {{ said }}, text_hash from answers
    union all
    select {{ said }}, text_hash from refunds
)

select
    texts.source,
    texts._load_id,
    texts._line,
    texts._item,
    texts.customer_id,
    texts.said_at,
    max(scores.language) as language,
    {{ exact_mean('scores.sentiment') }} as sentiment,
    {% for signal in ['is_complaint', 'is_praise', 'has_purchase_intent', 'mentions_price', 'threatens_churn'] %}
    max(case when scores.{{ signal }} then 1 when not scores.{{ signal }} then 0 end) as {{ signal }}
    {{- ',' if not loop.last }}
    {% endfor %}
from texts
inner join {{ source('enriched', 'text_scores') }} as scores on texts.text_hash = scores.text_hash
where texts.said_at < {{ as_of_start() }} and scores.status <> 'no text'
group by texts.source, texts._load_id, texts._line, texts._item, texts.customer_id, texts.said_at
