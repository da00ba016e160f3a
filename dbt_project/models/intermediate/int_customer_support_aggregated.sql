with tickets as (
    select
        coalesce(accounts.customer_id, emails.customer_id) as customer_id,
        -- What happened after the as-of date is not known yet: such a ticket is still open.
        case when tickets.closed_at < {{ as_of_start() }} then tickets.closed_at end as closed_at,
        case when tickets.closed_at is null or tickets.closed_at < {{ as_of_start() }}
            then tickets.satisfaction end as satisfaction,
        tickets.opened_at
    from {{ ref('stg_support__tickets') }} as tickets
    left join {{ ref('int_accounts_resolved') }} as accounts on tickets.account_id = accounts.account_id
    left join {{ ref('int_emails_resolved') }} as emails on tickets.email_key = emails.email_key
    where tickets.opened_at < {{ as_of_start() }}
)

select
    customer_id,
    count(*) as tickets,
    cast(sum({{ decayed('1', 'opened_at', var('support_half_life_days')) }}) as double) as decayed_tickets,
    {{ exact_mean(hours_between('opened_at', 'closed_at')) }} as mean_resolution_hours,
    {{ exact_mean('satisfaction') }} as mean_satisfaction
from tickets
where customer_id is not null
group by customer_id
