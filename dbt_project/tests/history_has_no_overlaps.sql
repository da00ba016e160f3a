-- A customer is in one segment at a time.
select customer_id, segment_id, valid_from, valid_to, next_from
from (
    select
        *,
        lead(valid_from) over (partition by customer_id order by valid_from) as next_from
    from {{ ref('segment_history') }}
) as stays
where next_from is not null and (valid_to is null or valid_to > next_from)
