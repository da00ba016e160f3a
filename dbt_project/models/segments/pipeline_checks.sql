{{ config(materialized='view') }}

select
    {{ as_of_date() }} as as_of,
    step,
    run_as_of,
    check_number,
    checked_at,
    table_name,
    title,
    severity,
    case
        when success then 'holds'
        when severity = 'critical' then 'stops the run'
        else 'warns'
    end as outcome,
    observed,
    recency_rank = 1 as is_latest
from (
    select
        step,
        as_of as run_as_of,
        checked_at,
        table_name,
        title,
        severity,
        success,
        observed,
        row_number() over (
            partition by step, as_of order by table_name, title, expectation, observed
        ) as check_number,
        dense_rank() over (partition by step order by checked_at desc) as recency_rank
    from {{ source('ops', 'checks') }}
) as checks
