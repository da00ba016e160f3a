with names as (
    select
        as_of,
        segment_id,
        segment_name
    from {{ source('ml', 'segment_names') }}
)

select
    lineage.as_of,
    lineage.previous_as_of,
    lineage.event_number,
    lineage.event,
    lineage.segment_id,
    coalesce(names_now.segment_name, names_then.segment_name) as segment_name,
    lineage.from_segment_id,
    names_from.segment_name as from_segment_name,
    lineage.shared_customers,
    lineage.jaccard,
    lineage.centroid_distance,
    lineage.share_of_then,
    lineage.share_of_now
from {{ source('ml', 'lineage') }} as lineage
left join names as names_now
    on lineage.as_of = names_now.as_of and lineage.segment_id = names_now.segment_id
left join names as names_then
    on lineage.previous_as_of = names_then.as_of and lineage.segment_id = names_then.segment_id
left join names as names_from
    on lineage.previous_as_of = names_from.as_of and lineage.from_segment_id = names_from.segment_id
where lineage.as_of <= {{ as_of_date() }}
