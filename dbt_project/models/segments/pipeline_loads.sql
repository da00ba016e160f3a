{{ config(materialized='view') }}

select
    {{ as_of_date() }} as as_of,
    load_id,
    source,
    kind,
    loaded_at,
    status,
    rows_read,
    rows_loaded,
    rows_quarantined as rows_refused,
    rows_already_there,
    case
        when status in ('loaded', 'already there')
            then rows_read = rows_loaded + rows_quarantined + rows_already_there
    end as is_balanced,
    newest_event_at
from {{ source('ops', 'loads') }}
