with answers as (
    select
        coalesce(accounts.customer_id, emails.customer_id) as customer_id,
        answers.nps
    from {{ ref('stg_feedback__survey_answers') }} as answers
    left join {{ ref('int_accounts_resolved') }} as accounts on answers.account_id = accounts.account_id
    left join {{ ref('int_emails_resolved') }} as emails on answers.email_key = emails.email_key
    where answers.answered_at < {{ as_of_start() }}
)

select
    customer_id,
    count(*) as survey_answers,
    {{ exact_mean('nps') }} as mean_nps
from answers
where customer_id is not null
group by customer_id
