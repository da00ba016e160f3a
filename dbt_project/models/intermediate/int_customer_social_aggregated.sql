with handles as (
    select handle_key, customer_id from {{ ref('int_handles_resolved') }}
    where {{ allows_analytics('customer_id') }}
),

posts as (
    select
        handles.customer_id,
        count(*) as posts,
        sum(posts.likes) as likes,
        sum(posts.comments) as comments,
        sum(posts.shares) as shares,
        {{ exact_mean('sentiments.sentiment') }} as mean_sentiment
    from {{ ref('stg_social__posts') }} as posts
    inner join handles on posts.author_handle_key = handles.handle_key
    left join {{ source('enriched', 'post_sentiment') }} as sentiments on posts.text_hash = sentiments.text_hash
    where posts.posted_at < {{ as_of_start() }}
    group by handles.customer_id
),

follows as (
    select follower_handle_key, followed_handle_key
    from {{ ref('stg_social__follows') }}
    where (followed_at is null or followed_at < {{ as_of_start() }})
        and follower_handle_key <> followed_handle_key
),

ends as (
    select followed_handle_key as handle_key, 1 as followers, 0 as following from follows
    union all
    select follower_handle_key as handle_key, 0 as followers, 1 as following from follows
),

network as (
    select
        handles.customer_id,
        sum(ends.followers) as followers,
        sum(ends.following) as following
    from ends
    inner join handles on ends.handle_key = handles.handle_key
    group by handles.customer_id
),

-- Nobody has zero posts when no posts were exported: then it is not known.
exports as (
    select
        (select count(*) from {{ ref('stg_social__posts') }}) > 0 as has_posts,
        (select count(*) from {{ ref('stg_social__follows') }}) > 0 as has_follows
)

select
    coalesce(posts.customer_id, network.customer_id) as customer_id,
    {{ known_zero('posts.posts', 'exports.has_posts', 'posts.posts') }} as posts,
    {{ known_zero('posts.likes', 'exports.has_posts', 'posts.posts') }} as likes,
    {{ known_zero('posts.comments', 'exports.has_posts', 'posts.posts') }} as comments,
    case
        when coalesce(posts.likes, posts.comments, posts.shares) is not null
            then {{ share(
                'coalesce(posts.likes, 0) + coalesce(posts.comments, 0) + coalesce(posts.shares, 0)',
                'posts.posts'
            ) }}
    end as engagement_rate,
    posts.mean_sentiment,
    {{ known_zero('network.followers', 'exports.has_follows', 'network.customer_id') }} as followers,
    {{ known_zero('network.following', 'exports.has_follows', 'network.customer_id') }} as following
from posts
full outer join network on posts.customer_id = network.customer_id
cross join exports
