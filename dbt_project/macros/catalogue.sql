{# One row per column of a dbt model, from its yml: name, type, meta and description. #}
{% macro described_columns(name) -%}
    {%- if not execute -%}
    select 1 as position
    {%- else -%}
    {%- set node = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
        | selectattr('name', 'equalto', name) | first -%}
    {%- for column in node.columns.values() %}
    {%- set meta = column.config.meta or column.meta %}
    select
        {{ loop.index }} as position,
        {{ text_literal(column.name) }} as name,
        {{ as_of_date() }} as as_of,
        {{ text_literal(meta.group) }} as feature_group,
        {{ text_literal(column.data_type) }} as data_type,
        {{ text_literal(meta.unit) }} as unit,
        {{ text_literal(meta.source) }} as source,
        {{ text_literal(meta.null_means) }} as null_means,
        {{ text_literal(meta.treatment) }} as treatment,
        cast({{ var(meta.half_life) if meta.half_life else 'null' }} as integer) as half_life_days,
        {{ text_literal(column.description) }} as description
    {{ 'union all' if not loop.last }}
    {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{# A text as a literal, on one line; null for what is not there. #}
{% macro text_literal(text) -%}
    {%- if text -%}
    '{{ dbt.escape_single_quotes(text.split() | join(' ')) }}'
    {%- else -%}
    cast(null as {{ dbt.type_string() }})
    {%- endif -%}
{%- endmacro %}
