with handles as (
    select handle_key, customer_id from {{ ref('int_handles_resolved') }}
    where {{ allows_analytics('customer_id') }}
),

-- A post that names its author by number only belongs to the handle of that account's profile.
authors as (
    select profiles.author_key, min(handles.customer_id) as customer_id
    from {{ ref('stg_social__profiles') }} as profiles
    inner join handles on profiles.handle_key = handles.handle_key
    where profiles.seen_at is null or profiles.seen_at < {{ as_of_start() }}
    group by profiles.author_key
),

posts as (
    select
        coalesce(handles.customer_id, authors.customer_id) as customer_id,
        count(*) as posts,
        sum(posts.likes) as likes,
        sum(posts.comments) as comments,
        sum(posts.shares) as shares,
        {{ exact_mean('sentiments.sentiment') }} as mean_sentiment
    from {{ ref('stg_social__posts') }} as posts
    left join handles on posts.author_handle_key = handles.handle_key
    left join authors on posts.author_handle_key is null and posts.author_key = authors.author_key
    left join {{ source('enriched', 'text_scores') }} as sentiments on posts.text_hash = sentiments.text_hash
    where posts.posted_at < {{ as_of_start() }}
        and coalesce(handles.customer_id, authors.customer_id) is not null
    group by coalesce(handles.customer_id, authors.customer_id)
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

-- A handle passes from one account to another: the one seen last has it.
profiles as (
    select
        handle_key,
        followers,
        following,
        row_number() over (
            partition by handle_key, network
            order by seen_at desc nulls last, author_key
        ) as newest_first
    from {{ ref('stg_social__profiles') }}
    where seen_at is null or seen_at < {{ as_of_start() }}
),

-- What the networks themselves count, over all networks of a handle.
counted as (
    select
        handles.customer_id,
        sum(profiles.followers) as followers,
        sum(profiles.following) as following
    from profiles
    inner join handles on profiles.handle_key = handles.handle_key
    where profiles.newest_first = 1
    group by handles.customer_id
),

-- Nobody has zero posts when no posts were exported: then it is not known.
exports as (
    select
        (
            select count(*) from {{ ref('stg_social__posts') }} where posted_at < {{ as_of_start() }}
        ) > 0 as has_posts,
        (select count(*) from follows) > 0 as has_follows
)

select
    coalesce(posts.customer_id, network.customer_id, counted.customer_id) as customer_id,
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
    {{ known_zero(
        'case when network.customer_id is null then counted.followers else network.followers end',
        'exports.has_follows',
        'coalesce(network.customer_id, cast(counted.followers as ' ~ dbt.type_string() ~ '))'
    ) }} as followers,
    {{ known_zero(
        'case when network.customer_id is null then counted.following else network.following end',
        'exports.has_follows',
        'coalesce(network.customer_id, cast(counted.following as ' ~ dbt.type_string() ~ '))'
    ) }} as following
from posts
full outer join network on posts.customer_id = network.customer_id
full outer join counted on coalesce(posts.customer_id, network.customer_id) = counted.customer_id
cross join exports
