-- What each person last said before the as-of date. Of a yes and a no at one moment the no holds.

with said as (
    select accounts.customer_id, consents.purpose, consents.is_granted, consents.changed_at
    from {{ ref('stg_crm__consents') }} as consents
    inner join {{ ref('int_accounts_resolved') }} as accounts on consents.account_id = accounts.account_id
    union all
    select emails.customer_id, consents.purpose, consents.is_granted, consents.changed_at
    from {{ ref('stg_crm__consents') }} as consents
    inner join {{ ref('int_customer_emails_collected') }} as emails on consents.email_key = emails.email_key
    where consents.account_id is null
),

ranked as (
    select
        *,
        row_number() over (
            partition by customer_id, purpose
            order by changed_at desc, case when is_granted then 1 else 0 end
        ) as newest_first
    from said
    where changed_at < {{ as_of_start() }}
)

select
    customer_id,
    purpose,
    is_granted,
    changed_at
from ranked
where newest_first = 1
