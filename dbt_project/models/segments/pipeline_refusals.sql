{{ config(materialized='view') }}

with refused as (
    select
        source,
        kind,
        'row' as what,
        reason,
        column_name,
        load_id
    from {{ source('quarantine', 'rows') }}
    union all
    -- The words of a refused file quote its name and its content: they stay inside.
    select
        source,
        kind,
        'file' as what,
        'the whole file' as reason,
        cast(null as {{ dbt.type_string() }}) as column_name,
        load_id
    from {{ source('ops', 'loads') }}
    where status = 'refused'
)

select
    {{ as_of_date() }} as as_of,
    refused.source,
    refused.kind,
    refused.what,
    refused.reason,
    coalesce(refused.column_name, '-') as column_name,
    count(*) as refusals,
    max(loads.loaded_at) as last_refused_at
from refused
left join {{ source('ops', 'loads') }} as loads on refused.load_id = loads.load_id
group by
    refused.source, refused.kind, refused.what, refused.reason, coalesce(refused.column_name, '-')
