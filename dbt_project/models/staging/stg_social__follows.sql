with superseded as (
    {{ superseded_rows(
        source('raw', 'follows'),
        {
            'follower_handle': to_handle('follower_handle'),
            'followed_handle': to_handle('followed_handle'),
        },
        newest_by=as_known(to_timestamp('followed_at')),
    ) }}
)

select
    {{ to_handle_key('follower_handle') }} as follower_handle_key,
    {{ to_handle_key('followed_handle') }} as followed_handle_key,
    {{ to_timestamp('followed_at') }} as followed_at,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'follows') }} as source
where {{ is_newest('source') }}
