select
    customer_id,
    count(*) as survey_answers,
    {{ exact_mean('nps') }} as mean_nps
from {{ ref('stg_feedback__survey_answers') }}
where answered_at < {{ as_of_start() }}
group by customer_id
