select
    as_of,
    dimension,
    member,
    measure,
    week,
    level_before,
    level_after,
    {{ share('level_after - level_before', 'level_before') }} as relative_change
from {{ source('ml', 'trend_changes') }}
where as_of = {{ as_of_date() }}
