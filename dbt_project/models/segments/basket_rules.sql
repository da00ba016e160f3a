with named as (
    select
        rules.*,
        coalesce(first_names.product_name, rules.first_item) as first_name,
        coalesce(second_names.product_name, rules.second_item) as second_name,
        coalesce(consequent_names.product_name, rules.consequent) as consequent_name
    from {{ source('ml', 'basket_rules') }} as rules
    left join {{ ref('int_product_names_resolved') }} as first_names
        on rules.first_item = first_names.product_id and rules.level = 'product'
    left join {{ ref('int_product_names_resolved') }} as second_names
        on rules.second_item = second_names.product_id and rules.level = 'product'
    left join {{ ref('int_product_names_resolved') }} as consequent_names
        on rules.consequent = consequent_names.product_id and rules.level = 'product'
    where rules.as_of = {{ as_of_date() }}
)

select
    as_of,
    period,
    period_from,
    period_to,
    level,
    rule_rank,
    first_item || coalesce(' + ' || second_item, '') as antecedent,
    first_name || coalesce(' + ' || second_name, '') as antecedent_name,
    consequent,
    consequent_name,
    baskets,
    least_baskets,
    antecedent_baskets,
    consequent_baskets,
    rule_baskets,
    support,
    confidence,
    lift,
    leverage,
    p_value
from named
