{# Versions of one thing, as the as-of date knows them: docs/flow.md, "As of a date". A run for a day
   in the past takes the version that stood then, though newer ones have come since. #}

{# For `newest_by`: versions changed before the as-of date first, the newest of them first. Where all
   are younger, the oldest: the export told of the thing only later, and that is all there is. #}
{% macro as_known(changed_at) -%}
    {{ return([
        was_known(changed_at),
        'case when ' ~ changed_at ~ ' < ' ~ as_of_start() ~ ' then ' ~ changed_at ~ ' end',
        '-' ~ epoch_seconds(changed_at),
    ]) }}
{%- endmacro %}

{# 0 for what is dated on the as-of date or after it, 1 for the rest. #}
{% macro was_known(moment) -%}
    {{ return('case when ' ~ moment ~ ' >= ' ~ as_of_start() ~ ' then 0 else 1 end') }}
{%- endmacro %}

{# For tables that are kept up to date and know no as-of date: of the things that changed on the
   as-of date or after it, the place of the version that stood before, as (_load_id, _line, _item).
   None in a run for the newest day. Arguments as those of `superseded_rows`. #}
{% macro earlier_versions(relation, key, changed_at) %}
    {%- set expressions = key.values() | list %}
    select _load_id, _line, _item
    from (
        select
            _load_id,
            _line,
            _item,
            row_number() over (
                partition by {{ expressions | join(', ') }}
                order by {{ newest_first(as_known(changed_at)) }}
            ) as newest_first
        from {{ relation }}
        where ({{ expressions | join(', ') }}) in (
            select {{ expressions | join(', ') }} from {{ relation }}
            where {{ changed_at }} >= {{ as_of_start() }}
        )
    ) as ranked
    where newest_first = 1
{% endmacro %}
