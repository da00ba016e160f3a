with superseded as (
    {{ superseded_rows(
        source('raw', 'posts'),
        {'post_id': to_id('post_id'), "coalesce(nullif(network, ''), '-')": to_network('network')},
        newest_by=as_known(to_timestamp('edited_at')),
    ) }}
)

select
    {{ to_id('post_id') }} as post_id,
    {{ to_author_key('network', 'author_id') }} as author_key,
    {{ to_handle_key('author_handle') }} as author_handle_key,
    {{ to_text('network') }} as network,
    {{ to_timestamp('posted_at') }} as posted_at,
    {{ to_timestamp('edited_at') }} as edited_at,
    {{ to_text_hash('text') }} as text_hash,
    {{ to_text('language') }} as language,
    {{ to_integer('likes') }} as likes,
    {{ to_integer('comments') }} as comments,
    {{ to_integer('shares') }} as shares,
    {{ to_integer('views') }} as views,
    {{ to_id('in_reply_to') }} as in_reply_to,
    {{ to_handle_keys('mentions') }} as mention_keys,
    {{ to_text('hashtags') }} as hashtags,
    {{ to_text('withheld_in') }} as withheld_in,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'posts') }} as source
where {{ is_newest('source') }}
