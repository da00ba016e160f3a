select
    audited.as_of,
    audited.attribute,
    audited.group_name,
    audited.kind,
    audited.outcome,
    coalesce(names.segment_name, audited.outcome) as outcome_name,
    audited.customers,
    audited.counted,
    audited.rate,
    audited.rate_low,
    audited.rate_high,
    audited.reference_group,
    audited.ratio,
    audited.ratio_low,
    audited.ratio_high,
    audited.verdict
from {{ source('ml', 'bias_audit') }} as audited
left join (
    select distinct segment_id, segment_name from {{ ref('customer_segments') }}
) as names on audited.kind = 'share' and audited.outcome = names.segment_id
where audited.as_of = {{ as_of_date() }}
