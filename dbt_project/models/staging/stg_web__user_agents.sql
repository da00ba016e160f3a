-- Few values stand in many events: recognising a crawler once per user agent is fifty times
-- cheaper than once per event. A table, or the pattern would be pushed down to the events again.
{{ config(materialized='table') }}

select distinct {{ to_text('user_agent') }} as user_agent
from {{ source('raw', 'web_events') }}
where {{ to_text('user_agent') }} is not null
