{{ config(materialized='view') }}

select
    {{ as_of_date() }} as as_of,
    step,
    started_at,
    cast(seconds as double) as seconds,
    run_as_of,
    outcome,
    recency_rank = 1 as is_latest
from (
    select
        step,
        started_at,
        seconds,
        as_of as run_as_of,
        case when summary like 'failed:%' then 'failed' else 'succeeded' end as outcome,
        row_number() over (partition by step order by started_at desc) as recency_rank
    from {{ source('ops', 'step_runs') }}
) as runs
