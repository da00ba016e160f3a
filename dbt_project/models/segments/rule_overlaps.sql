select
    as_of,
    rule,
    other_kind,
    other,
    customers,
    share_of_rule,
    share_of_other,
    jaccard,
    lift
from {{ source('ml', 'rule_overlaps') }}
where as_of = {{ as_of_date() }}
