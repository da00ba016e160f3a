{# The rows of a raw table that a newer row with the same key replaces, as (_load_id, _line).

   Cheap on a hundred million rows: one hash aggregate over 64-bit hashes finds the few keys that
   repeat (a collision only lets a row through to the exact step), and only their rows are sorted.
   Rows in which a part of the key is missing are never compared: they all stay.

   relation   a raw table; (_load_id, _line) names each of its rows
   key        {raw column: SQL expression over it}
   newest_by  SQL expressions, the largest wins; then the newest load, then the last line  #}
{% macro superseded_rows(relation, key, newest_by=[]) %}
    {%- set expressions = key.values() | list %}
    select _load_id, _line
    from (
        select
            _load_id,
            _line,
            row_number() over (
                partition by {{ expressions | join(', ') }}
                order by
                    {%- for expression in newest_by %}
                    {{ expression }} desc nulls last,
                    {%- endfor %}
                    _load_id desc nulls last, _line desc nulls last
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
    not exists (
        select 1 from superseded
        where superseded._load_id = {{ relation_alias }}._load_id
            and superseded._line = {{ relation_alias }}._line
    )
{%- endmacro %}
