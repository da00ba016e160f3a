{% set longest = var('journey_path_steps') %}

with steps as (
    select
        steps.session_id,
        steps.step_number,
        steps.is_converting,
        first.shown_as as step_1,
        second.shown_as as step_2,
        third.shown_as as step_3,
        fourth.shown_as as step_4
    from {{ ref('int_web_steps_ordered') }} as steps
    inner join {{ ref('int_web_steps_ranked') }} as first on steps.step = first.step
    left join {{ ref('int_web_steps_ranked') }} as second on steps.next_step = second.step
    left join {{ ref('int_web_steps_ranked') }} as third on steps.third_step = third.step
    left join {{ ref('int_web_steps_ranked') }} as fourth on steps.fourth_step = fourth.step
    where steps.is_on_the_way
),

whole_paths as (
    select
        'whole' as kind,
        least(max(step_number), {{ longest }}) as steps,
        max(case when step_number = 1 then step_1 end)
        {%- for k in range(2, longest + 1) %}
        || coalesce(' > ' || max(case when step_number = {{ k }} then step_1 end), '')
        {%- endfor %}
        || case when max(step_number) > {{ longest }} then ' > …' else '' end as path,
        session_id,
        max(case when is_converting then 1 else 0 end) as is_converting
    from steps
    group by session_id
),

sequences as (
    select 3 as steps, step_1 || ' > ' || step_2 || ' > ' || step_3 as path, session_id, is_converting
    from steps
    where step_3 is not null and step_1 <> 'conversion' and step_2 <> 'conversion'
    union all
    select 4 as steps, step_1 || ' > ' || step_2 || ' > ' || step_3 || ' > ' || step_4 as path, session_id, is_converting
    from steps
    where step_4 is not null and step_1 <> 'conversion' and step_2 <> 'conversion' and step_3 <> 'conversion'
),

paths as (
    select kind, steps, path, is_converting from whole_paths
    union all
    select 'sequence' as kind, steps, path, max(case when is_converting then 1 else 0 end) as is_converting
    from sequences
    group by steps, path, session_id
),

counted as (
    select
        kind,
        path,
        cast(min(steps) as bigint) as steps,
        count(*) as sessions,
        cast(sum(is_converting) as bigint) as converting_sessions
    from paths
    group by kind, path
),

ranked as (
    select
        *,
        row_number() over (
            partition by kind, case when kind = 'sequence' then steps end order by sessions desc, path
        ) as place
    from counted
)

select
    kind,
    steps,
    path,
    sessions,
    converting_sessions,
    (select count(*) from whole_paths) as all_sessions
from ranked
where place <= {{ var('journey_top_paths') }}
