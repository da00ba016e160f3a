{{ config(materialized='view') }}

select
    {{ as_of_date() }} as as_of,
    drift.source,
    drift.load_id,
    drift.column_name,
    drift.change,
    loads.loaded_at as noticed_at
from {{ source('ops', 'drift') }} as drift
left join {{ source('ops', 'loads') }} as loads on drift.load_id = loads.load_id
