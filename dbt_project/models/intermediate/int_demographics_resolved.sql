with resolved as (
    select
        demographics.*,
        coalesce(accounts.customer_id, emails.customer_id, hashes.customer_id) as resolved_customer_id
    from {{ ref('stg_crm__demographics') }} as demographics
    left join {{ ref('int_accounts_resolved') }} as accounts on demographics.account_id = accounts.account_id
    left join {{ ref('int_emails_resolved') }} as emails on demographics.email_key = emails.email_key
    left join {{ ref('int_email_hashes_resolved') }} as hashes on demographics.email_hash_key = hashes.email_hash_key
    where demographics.updated_at is null or demographics.updated_at < {{ as_of_start() }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by resolved_customer_id
            order by updated_at desc nulls last, _file desc nulls last, _line desc nulls last, _item desc nulls last
        ) as newest_first
    from resolved
    where resolved_customer_id is not null
)

select
    resolved_customer_id as customer_id,
    age_band,
    income_band,
    household_size,
    education,
    occupation,
    home_ownership
from ranked
where newest_first = 1
