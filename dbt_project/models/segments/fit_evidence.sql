select
    as_of,
    model_id,
    candidate,
    algorithm,
    k,
    silhouette,
    silhouette_error,
    davies_bouldin,
    calinski_harabasz,
    inertia,
    gap,
    stability,
    least_stability,
    smallest_share,
    revenue_explained,
    is_chosen,
    reason
from {{ source('ml', 'fit_evidence') }}
where as_of <= {{ as_of_date() }}
