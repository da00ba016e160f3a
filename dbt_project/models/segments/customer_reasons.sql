-- The three features that speak most for a customer's own segment, beside the medians of her own and
-- of the second best, and all of it in a sentence.

with assignments as (
    select * from {{ source('ml', 'assignments') }}
    where as_of = {{ as_of_date() }}
),

names as (
    select segment_id, segment_name from {{ source('ml', 'segment_names') }}
    where as_of = {{ as_of_date() }}
),

medians as (
    select segment_id, feature, segment_median from {{ source('ml', 'segment_features') }}
    where as_of = {{ as_of_date() }}
),

reasons as (
    select * from {{ source('ml', 'customer_reasons') }}
    where as_of = {{ as_of_date() }}
),

told as (
    select
        assignments.customer_id,
        assignments.as_of,
        assignments.segment_id,
        assignments.segment_name,
        assignments.second_segment_id,
        names.segment_name as second_segment_name,
        coalesce(names.segment_name, 'a segment that nobody is in') as second_best,
        assignments.confidence,
        assignments.is_held,
        reasons.margin
        {%- for i in range(1, 4) %},
        reasons.reason_{{ i }},
        reasons.reason_{{ i }}_value,
        reasons.reason_{{ i }}_share,
        {{ reason_in_words(
            'reasons.reason_' ~ i, 'reasons.reason_' ~ i ~ '_value',
            'own_' ~ i ~ '.segment_median', 'second_' ~ i ~ '.segment_median'
        ) }} as words_{{ i }}
        {%- endfor %}
    from assignments
    left join reasons on assignments.customer_id = reasons.customer_id
    left join names on assignments.second_segment_id = names.segment_id
    {%- for i in range(1, 4) %}
    left join medians as own_{{ i }}
        on assignments.segment_id = own_{{ i }}.segment_id
        and reasons.reason_{{ i }} = own_{{ i }}.feature
    left join medians as second_{{ i }}
        on assignments.second_segment_id = second_{{ i }}.segment_id
        and reasons.reason_{{ i }} = second_{{ i }}.feature
    {%- endfor %}
)

select
    customer_id,
    as_of,
    segment_id,
    segment_name,
    second_segment_id,
    second_segment_name,
    confidence,
    margin,
    {%- for i in range(1, 4) %}
    reason_{{ i }},
    reason_{{ i }}_value,
    reason_{{ i }}_share,
    {%- endfor %}
    case
        when segment_id = 'without-purchase' then 'Has no purchase on record.'
        when second_segment_id is null then 'There is no other segment.'
        when words_1 is null
            then 'No known feature puts her nearer to ' || segment_name || ' than to '
                || second_best || '.'
        else
            case
                when is_held
                    then 'Held: ' || second_best || ' is nearer, not by enough to move her; for '
                        || segment_name || ' speak '
                else 'Nearer to ' || segment_name || ' than to ' || second_best || ' by '
            end
            || words_1 || coalesce('; ' || words_2, '') || coalesce('; ' || words_3, '') || '.'
    end as why
from told
