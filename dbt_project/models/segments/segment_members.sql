select
    members.as_of,
    members.segment_id,
    names.segment_name,
    members.kind,
    members.member_rank,
    members.customer_id,
    members.centre_distance,
    members.confidence,
    members.second_segment_id,
    seconds.segment_name as second_segment_name
from {{ source('ml', 'segment_members') }} as members
inner join {{ source('ml', 'segment_names') }} as names
    on members.as_of = names.as_of and members.segment_id = names.segment_id
left join {{ source('ml', 'segment_names') }} as seconds
    on members.as_of = seconds.as_of and members.second_segment_id = seconds.segment_id
where members.as_of = {{ as_of_date() }}
