select
    as_of,
    attribute,
    feature,
    customers,
    groups,
    auc,
    auc_error,
    verdict
from {{ source('ml', 'feature_proxies') }}
where as_of = {{ as_of_date() }}
