{# Shares add up to one per group (or are all unknown). #}
{% test sums_to_one(model, column_name, per) %}
select
    {{ per }},
    sum({{ column_name }}) as total
from {{ model }}
group by {{ per }}
having abs(sum({{ column_name }}) - 1) > 0.000001
{% endtest %}
