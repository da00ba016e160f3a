with changes as (
    select
        as_of,
        cast({{ dbt.date_trunc('week', 'changed_on') }} as date) as week,
        from_stage,
        to_stage
    from {{ ref('lifecycle_transitions') }}
)

select
    as_of,
    week,
    from_stage,
    to_stage,
    cast(count(*) as bigint) as customers
from changes
group by as_of, week, from_stage, to_stage
