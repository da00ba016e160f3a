{{ config(materialized='view') }}

-- Order lines as they stood before the as-of date.
select * from {{ ref('stg_shop__order_lines') }} as lines
where not exists (
    select 1 from {{ ref('stg_shop__order_lines_earlier') }} as earlier
    where lines.order_id = earlier.order_id and lines.line_id = earlier.line_id
)
union all
select * from {{ ref('stg_shop__order_lines_earlier') }}
