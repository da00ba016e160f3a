with superseded as (
    {{ superseded_rows(
        source('raw', 'profiles'),
        {
            "coalesce(nullif(author_id, ''), handle)":
                "coalesce(" ~ to_id('author_id') ~ ", '@' || " ~ to_handle('handle') ~ ")",
            "coalesce(nullif(network, ''), '-')": to_network('network'),
        },
        newest_by=as_known(to_timestamp('seen_at')),
    ) }}
)

select
    {{ to_author_key('network', 'author_id') }} as author_key,
    {{ to_handle_key('handle') }} as handle_key,
    {{ to_text('network') }} as network,
    {{ to_integer('followers') }} as followers,
    {{ to_integer('following') }} as following,
    {{ to_integer('posts') }} as posts,
    {{ to_boolean('is_verified') }} as is_verified,
    {{ to_timestamp('created_at') }} as created_at,
    {{ to_timestamp('seen_at') }} as seen_at,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'profiles') }} as source
where {{ is_newest('source') }}
