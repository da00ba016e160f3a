{# Rules that every row keeps, {name: condition}, all in one scan. A condition that is null holds. #}
{% test holds(model, rules) %}
select *
from (
    select
        case
            {%- for name, condition in rules.items() %}
            when not ({{ condition }}) then '{{ name }}'
            {%- endfor %}
        end as broken_rule,
        rows_tested.*
    from {{ model }} as rows_tested
) as verdicts
where broken_rule is not null
{% endtest %}
