-- A stay is a row of consecutive runs that put the customer in the same segment. It ends at the
-- first run that puts her elsewhere, or nowhere.

with assignments as (
    select * from {{ source('ml', 'assignments') }}
    where as_of <= {{ as_of_date() }}
),

runs as (
    select
        as_of,
        row_number() over (order by as_of) as run_number
    from (select distinct as_of from assignments) as dates
),

placed as (
    select
        assignments.customer_id,
        assignments.segment_id,
        assignments.segment_name,
        runs.as_of,
        runs.run_number,
        -- Constant over consecutive runs in one segment, and different after each gap.
        runs.run_number - row_number() over (
            partition by assignments.customer_id, assignments.segment_id order by runs.run_number
        ) as stay
    from assignments
    inner join runs on assignments.as_of = runs.as_of
),

stays as (
    select
        customer_id,
        segment_id,
        max_by(segment_name, run_number) as segment_name,
        min(as_of) as valid_from,
        max(run_number) as last_run
    from placed
    group by customer_id, segment_id, stay
)

select
    stays.customer_id,
    stays.segment_id,
    stays.segment_name,
    stays.valid_from,
    next_runs.as_of as valid_to
from stays
left join runs as next_runs on stays.last_run + 1 = next_runs.run_number
