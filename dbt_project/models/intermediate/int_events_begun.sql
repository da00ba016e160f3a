-- Events are those of the settings, [events.<name>]. What had not begun is not known yet.
with events as (
    {%- for name, event in var('events').items() %}
    select
        '{{ name }}' as event,
        cast('{{ event.starts }}' as date) as starts_on,
        cast('{{ event.ends }}' as date) as ends_on
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        cast(null as {{ dbt.type_string() }}) as event,
        cast(null as date) as starts_on,
        cast(null as date) as ends_on
    where 1 = 0
    {%- endfor %}
)

select
    event,
    starts_on,
    ends_on,
    ends_on < {{ as_of_date() }} as is_complete,
    least(cast({{ dbt.dateadd('day', 1, 'ends_on') }} as date), {{ as_of_date() }}) as first_day_after
from events
where starts_on < {{ as_of_date() }}
