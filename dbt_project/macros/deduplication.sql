{# Which of the versions of one thing stands: the largest by `newest_by`, then by the name of the file
   and the place in it. Never by when it was loaded: late files end where timely ones do. (The load
   only parts rows that are equal in all of that.) #}
{% macro newest_first(newest_by=[]) -%}
    {%- for expression in newest_by -%}
    {{ expression }} desc nulls last,
    {% endfor -%}
    _file desc nulls last, _line desc nulls last, _item desc nulls last, _source desc, _load_id desc
{%- endmacro %}

{# The rows of a raw table that a newer version of the same thing replaces, as (_load_id, _line, _item).

   Cheap on a hundred million rows: one hash aggregate over 64-bit hashes finds the few keys that
   repeat (a collision only lets a row through to the exact step), and only their rows are sorted.
   Rows in which a part of the key is missing are never compared: they all stay.

   relation   a raw table; (_load_id, _line, _item) names each of its rows
   key        {raw column: SQL expression over it}
   newest_by  SQL expressions, the largest wins; then the file's name, then the place in it  #}
{% macro superseded_rows(relation, key, newest_by=[]) %}
    {%- set expressions = key.values() | list %}
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
        where {{ hash_of(expressions) }} in (
            select {{ hash_of(expressions) }}
            from {{ relation }}
            where {% for column in key %}{{ column }} <> ''{{ ' and ' if not loop.last }}{% endfor %}
            group by {{ hash_of(expressions) }}
            having count(*) > 1
        )
        and {% for expression in expressions %}{{ expression }} is not null{{ ' and ' if not loop.last }}{% endfor %}
    ) as ranked
    where newest_first > 1
{% endmacro %}

{# Condition: the row of `relation_alias` is not superseded (by the CTE `superseded`). #}
{% macro is_newest(relation_alias='source') -%}
    not {{ is_listed('superseded', relation_alias) }}
{%- endmacro %}

{# Condition: the CTE or table `list` holds the place of the row of `relation_alias`. #}
{% macro is_listed(list, relation_alias='source') -%}
    exists (
        select 1 from {{ list }} as listed
        where listed._load_id = {{ relation_alias }}._load_id
            and listed._line = {{ relation_alias }}._line
            and listed._item = {{ relation_alias }}._item
    )
{%- endmacro %}
