{# Tables that are kept up to date instead of built anew; why and how: docs/decisions/incremental.md.

   A staging table of this sort says what differs from its neighbours:

       config(materialized=incrementally(), incremental_strategy='by_load', follows=<raw table>,
              unique_key=[…])
       with verdicts as ( verdicts(source, key) ) select … where stands('source')          #}

{# dbt's Spark adapter has no delete and insert in one step: there the tables are built anew. #}
{% macro incrementally() -%} {{ return(adapter.dispatch('incrementally', 'tessera')()) }} {%- endmacro %}
{% macro default__incrementally() -%} {{ return('incremental') }} {%- endmacro %}
{% macro spark__incrementally() -%} {{ return('table') }} {%- endmacro %}

{# Places of raw rows: on a full build of those that do not stand, else of those to be added. #}
{% macro verdicts(relation, key, newest_by=[]) -%}
    {%- if is_incremental() -%}
        {{ rows_to_add(relation, key, newest_by) }}
    {%- else -%}
        {{ superseded_rows(relation, key, newest_by) }}
    {%- endif -%}
{%- endmacro %}

{# Condition that goes with the CTE `verdicts`. #}
{% macro stands(relation_alias='source') -%}
    {{ '' if is_incremental() else 'not ' }}{{ is_listed('verdicts', relation_alias) }}
{%- endmacro %}

{# Rows of raw that stand among the versions of touched things and that this table does not hold.
   Touched: what a new load brings, and what a load that was taken away had brought. #}
{% macro rows_to_add(relation, key, newest_by) %}
    {%- set expressions = key.values() | list %}
    {%- set is_new = '_load_id > ' ~ newest_load(this) %}
    {%- set gone = loads_taken_away(relation, this) %}
    select _load_id, _line, _item
    from (
        select
            _load_id,
            _line,
            _item,
            row_number() over (
                partition by {{ expressions | join(', ') }}
                order by {{ newest_first(newest_by) }}
            ) as newest_first
        from {{ relation }}
        where ({{ expressions | join(', ') }}) in (
            select {{ expressions | join(', ') }} from {{ relation }} where {{ is_new }}
            {%- if gone %}
            union all
            select {{ key.keys() | join(', ') }} from {{ this }} where _load_id in ({{ gone | join(', ') }})
            {%- endif %}
        )
        union all
        select _load_id, _line, _item, 1 as newest_first
        from {{ relation }}
        where {{ is_new }}
            and ({% for expression in expressions %}{{ expression }} is null{{ ' or ' if not loop.last }}{% endfor %})
    ) as ranked
    where newest_first = 1 and not {{ is_listed(this, 'ranked') }}
{% endmacro %}

{# The load up to which `table` is made. Rows come to raw only under new, larger load ids. #}
{% macro newest_load(table) -%}
    {{ return(run_query('select coalesce(max(_load_id), -1) from ' ~ table).columns[0].values()[0]) }}
{%- endmacro %}

{# Loads of which `table` has rows and `relation` has none any more: withdrawn or replaced. #}
{% macro loads_taken_away(relation, table) -%}
    {%- set query -%}
        select distinct _load_id from {{ table }}
        where _load_id not in (select _load_id from {{ relation }})
        order by _load_id
    {%- endset -%}
    {{ return(run_query(query).columns[0].values() | list) }}
{%- endmacro %}

{# Strategy of staging tables: out with the rows of vanished loads and with older versions of what
   comes, in with what comes. The macro `tell`, if there is one, logs it in the same transaction. #}
{% macro get_incremental_by_load_sql(arguments) %}
    {%- set target = arguments['target_relation'] %}
    {%- set new = arguments['temp_relation'] %}
    {%- set key = arguments['unique_key'] | join(', ') %}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | join(', ') %}
    {%- set gone = loads_taken_away(source('raw', config.require('follows')), target) %}
    {%- set is_replaced = '(' ~ key ~ ') in (select ' ~ key ~ ' from ' ~ new ~ ')' %}
    {%- if gone %}
        {%- set is_replaced = is_replaced ~ ' or _load_id in (' ~ gone | join(', ') ~ ')' %}
    {%- endif %}
    {%- if config.get('tell') %}
    {{ context[config.get('tell')](target, new, is_replaced) }};
    {%- endif %}
    delete from {{ target }} where {{ is_replaced }};
    insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ new }}
{% endmacro %}

{# Strategy of tables that follow the log of touched devices: the rows that the condition of the
   macro `replaces` names are replaced by those that the dbt model gives. #}
{% macro get_incremental_by_touch_sql(arguments) %}
    {%- set target = arguments['target_relation'] %}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | join(', ') %}
    delete from {{ target }} where {{ context[config.require('replaces')](target) }};
    insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ arguments['temp_relation'] }}
{% endmacro %}
