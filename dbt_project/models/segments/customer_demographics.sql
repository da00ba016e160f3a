select
    features.customer_id,
    features.as_of,
    features.profile_completeness,
    features.next_question,
    coalesce(imputed.household_size, features.household_size) as household_size,
    coalesce(imputed.is_household_size_imputed, false) as is_household_size_imputed,
    coalesce(imputed.age_band, features.age_band) as age_band,
    coalesce(imputed.is_age_band_imputed, false) as is_age_band_imputed,
    coalesce(imputed.income_band, features.income_band) as income_band,
    coalesce(imputed.is_income_band_imputed, false) as is_income_band_imputed,
    coalesce(imputed.education, features.education) as education,
    coalesce(imputed.is_education_imputed, false) as is_education_imputed,
    coalesce(imputed.occupation, features.occupation) as occupation,
    coalesce(imputed.is_occupation_imputed, false) as is_occupation_imputed,
    coalesce(imputed.home_ownership, features.home_ownership) as home_ownership,
    coalesce(imputed.is_home_ownership_imputed, false) as is_home_ownership_imputed
from {{ ref('customer_features') }} as features
left join {{ source('ml', 'customer_imputed') }} as imputed
    on features.customer_id = imputed.customer_id and features.as_of = imputed.as_of
