-- Posts, tickets (subject and body) and comments of surveys: who wrote what and when.
with authors as (
    select profiles.author_key, min(handles.customer_id) as customer_id
    from {{ ref('stg_social__profiles') }} as profiles
    inner join {{ ref('int_handles_resolved') }} as handles on profiles.handle_key = handles.handle_key
    group by profiles.author_key
),

tickets as (
    select
        tickets._load_id,
        tickets._line,
        tickets._item,
        tickets.subject_hash,
        tickets.body_hash,
        tickets.opened_at as said_at,
        coalesce(accounts.customer_id, emails.customer_id) as customer_id,
        coalesce(accounts.customer_id, emails.customer_id, tickets.email_key) as author
    from {{ ref('stg_support__tickets') }} as tickets
    left join {{ ref('int_accounts_resolved') }} as accounts on tickets.account_id = accounts.account_id
    left join {{ ref('int_emails_resolved') }} as emails on tickets.email_key = emails.email_key
),

said as (
    select
        'post' as source,
        posts._load_id,
        posts._line,
        posts._item,
        posts.text_hash,
        posts.posted_at as said_at,
        coalesce(handles.customer_id, authors.customer_id) as customer_id,
        coalesce(handles.customer_id, authors.customer_id, posts.author_handle_key, posts.author_key) as author
    from {{ ref('stg_social__posts') }} as posts
    left join {{ ref('int_handles_resolved') }} as handles on posts.author_handle_key = handles.handle_key
    left join authors on posts.author_handle_key is null and posts.author_key = authors.author_key

    union all

    select
        'ticket' as source,
        _load_id,
        _line,
        _item,
        subject_hash as text_hash,
        said_at,
        customer_id,
        author
    from tickets

    union all

    select
        'ticket' as source,
        _load_id,
        _line,
        _item,
        body_hash as text_hash,
        said_at,
        customer_id,
        author
    from tickets

    union all

    select
        'survey' as source,
        answers._load_id,
        answers._line,
        answers._item,
        answers.comment_hash as text_hash,
        answers.answered_at as said_at,
        coalesce(accounts.customer_id, emails.customer_id) as customer_id,
        coalesce(accounts.customer_id, emails.customer_id, answers.email_key) as author
    from {{ ref('stg_feedback__survey_answers') }} as answers
    left join {{ ref('int_accounts_resolved') }} as accounts on answers.account_id = accounts.account_id
    left join {{ ref('int_emails_resolved') }} as emails on answers.email_key = emails.email_key
)

select source, _load_id, _line, _item, text_hash, said_at, customer_id, author
from said
where text_hash is not null and said_at < {{ as_of_start() }}
