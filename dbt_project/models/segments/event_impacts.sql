-- Ratios and their intervals are of events that were declared: a week that was found because it is
-- out of line differs from those before it by that choice alone.
with found as ({{ found_events() }}),

events as (
    select event, starts_on, ends_on, is_complete, 'declared' as kind, cast(null as {{ dbt.type_string() }}) as found_in
    from {{ ref('int_events_begun') }}
    union all
    select event, starts_on, ends_on, is_complete, 'found' as kind, found_in from found
),

{% set declared_days = "select day from " ~ ref('int_event_days_counted') ~ " where phase = 'during'" %}
event_days as (
    select * from {{ ref('int_event_days_counted') }}
    union all
    select * from ({{ days_of_events('found', declared_days) }}) as found_days
),

days as (
    select
        event,
        {%- for phase in ['before', 'during', 'after'] %}
        {{ share(
            "sum(case when measure = 'orders' and phase = '" ~ phase ~ "' then gross_revenue end)",
            "sum(case when measure = 'orders' and phase = '" ~ phase ~ "' then 1 end)"
        ) }} as gross_revenue_a_day_{{ phase }},
        {{ share(
            "sum(case when measure = 'posts' and phase = '" ~ phase ~ "' then sentiment end)",
            "sum(case when measure = 'posts' and phase = '" ~ phase ~ "' then scored end)"
        ) }} as mean_post_sentiment_{{ phase }},
        {%- for measure in ['orders', 'posts'] %}
        {{ share(
            "sum(case when measure = '" ~ measure ~ "' and phase = '" ~ phase ~ "' then happened end)",
            "sum(case when measure = '" ~ measure ~ "' and phase = '" ~ phase ~ "' then 1 end)"
        ) }} as {{ measure }}_a_day_{{ phase }},
        {%- endfor %}
        {%- endfor %}
        {%- for measure in ['orders', 'posts'] %}
        sum(case when measure = '{{ measure }}' and phase = 'during' then happened end) as {{ measure }},
        sum(case when measure = '{{ measure }}' then case when phase = 'before' then 1 else 0 end end) as {{ measure }}_days_before,
        {%- endfor %}
        sum(case when phase = 'during' then 1 else 0 end) > 0 as is_known
    from event_days
    group by event
),

participants as (
    select
        event,
        count(*) as participants,
        sum(case when orders > 0 then 1 else 0 end) as buyers,
        sum(case when posts > 0 then 1 else 0 end) as posters,
        count(has_bought_after_posting) as posters_followed,
        sum(case when has_bought_after_posting then 1 else 0 end) as posters_who_bought
    from {{ ref('event_participants') }}
    group by event
)

select
    {{ as_of_date() }} as as_of,
    events.event,
    events.kind,
    events.found_in,
    events.starts_on,
    events.ends_on,
    events.is_complete,
    {%- for measure in ['orders', 'posts'] %}
    cast(days.{{ measure }} as bigint) as {{ measure }},
    cast(case when days.{{ measure }} is not null then days.{{ measure }}_days_before end as bigint) as {{ measure }}_days_before,
    days.{{ measure }}_a_day_before,
    days.{{ measure }}_a_day_during,
    days.{{ measure }}_a_day_after,
    {{ measure }}.dispersion as {{ measure }}_dispersion,
    {{ measure }}.ratio as {{ measure }}_ratio,
    {{ measure }}.ratio_low as {{ measure }}_ratio_low,
    {{ measure }}.ratio_high as {{ measure }}_ratio_high,
    {%- endfor %}
    days.gross_revenue_a_day_before,
    days.gross_revenue_a_day_during,
    days.gross_revenue_a_day_after,
    days.mean_post_sentiment_before,
    days.mean_post_sentiment_during,
    days.mean_post_sentiment_after,
    cast(coalesce(participants.participants, 0) as bigint) as participants,
    cast(coalesce(participants.buyers, 0) as bigint) as buyers,
    cast(case when days.posts_a_day_during is not null then coalesce(participants.posters, 0) end as bigint) as posters,
    cast(case when days.posts_a_day_during is not null then coalesce(participants.posters_followed, 0) end as bigint) as posters_followed,
    {{ share('participants.posters_who_bought', 'participants.posters_followed') }} as bought_after_posting_share
from events
inner join days on events.event = days.event and days.is_known
left join participants on events.event = participants.event
{%- for measure in ['orders', 'posts'] %}
left join {{ source('ml', 'event_ratios') }} as {{ measure }}
    on events.event = {{ measure }}.event
    and {{ measure }}.as_of = {{ as_of_date() }}
    and {{ measure }}.measure = '{{ measure }}'
{%- endfor %}
