with doubts as (
    select
        as_of,
        account_l as account_id,
        account_r as other_account_id,
        case when is_joined then 'one' else 'two' end as verdict,
        reason,
        match_weight,
        revenue_at_stake
    from {{ source('enriched', 'identity_doubts') }}
    where as_of = {{ as_of_date() }}
)

select
    as_of,
    account_id,
    other_account_id,
    verdict,
    reason,
    match_weight,
    cast(revenue_at_stake as decimal(18, 2)) as revenue_at_stake,
    row_number() over (
        order by revenue_at_stake desc, match_weight desc, account_id, other_account_id
    ) as stake_rank
from doubts
