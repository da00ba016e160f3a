with superseded as (
    {{ superseded_rows(source('raw', 'posts'), {'post_id': to_id('post_id')}) }}
)

select
    {{ to_id('post_id') }} as post_id,
    {{ to_handle('author_handle') }} as author_handle,
    {{ to_text('network') }} as network,
    {{ to_timestamp('posted_at') }} as posted_at,
    text,
    md5(text) as text_hash,
    {{ to_integer('likes') }} as likes,
    {{ to_integer('comments') }} as comments,
    {{ to_integer('shares') }} as shares,
    {{ to_id('in_reply_to') }} as in_reply_to,
    mentions,
    _source,
    _load_id,
    _line
from {{ source('raw', 'posts') }} as source
where {{ is_newest('source') }}
