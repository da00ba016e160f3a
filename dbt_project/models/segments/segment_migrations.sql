-- Who was in no segment at the run before comes from `new`.

with names as (
    select
        as_of,
        segment_id,
        segment_name
    from {{ source('ml', 'segment_names') }}
),

sizes as (
    select
        as_of,
        segment_id,
        count(*) as customers
    from {{ source('ml', 'assignments') }}
    where as_of <= {{ as_of_date() }}
    group by as_of, segment_id
),

moved as (
    select
        as_of,
        previous_as_of,
        from_segment_id,
        to_segment_id,
        cause,
        count(*) as customers
    from {{ source('ml', 'moves') }}
    where as_of <= {{ as_of_date() }}
    group by as_of, previous_as_of, from_segment_id, to_segment_id, cause
)

select
    moved.as_of,
    moved.previous_as_of,
    coalesce(moved.from_segment_id, 'new') as from_segment_id,
    case
        when moved.from_segment_id is null then 'First Seen' else names_from.segment_name
    end as from_segment_name,
    moved.to_segment_id,
    names_to.segment_name as to_segment_name,
    moved.cause,
    cast(moved.customers as bigint) as customers,
    {{ share('moved.customers', 'sizes.customers') }} as share_of_from
from moved
left join names as names_from
    on moved.previous_as_of = names_from.as_of and moved.from_segment_id = names_from.segment_id
left join names as names_to
    on moved.as_of = names_to.as_of and moved.to_segment_id = names_to.segment_id
left join sizes
    on moved.previous_as_of = sizes.as_of and moved.from_segment_id = sizes.segment_id
