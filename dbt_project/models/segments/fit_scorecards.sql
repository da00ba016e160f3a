select
    as_of,
    model_id,
    segments,
    customers,
    silhouette,
    silhouette_error,
    misfit_share,
    smallest_share,
    largest_share,
    revenue_explained,
    unsure_share,
    map_explained_x,
    map_explained_y,
    map_feature_x,
    map_feature_y
from {{ source('ml', 'fit_scorecards') }}
where as_of = {{ as_of_date() }}
