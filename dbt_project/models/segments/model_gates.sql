select
    gates.as_of,
    gates.model_id,
    champions.model_id as champion_model_id,
    gates.is_promoted,
    gates.gate,
    gates.passed,
    gates.observed,
    gates.bound,
    gates.told
from {{ source('ml', 'model_gates') }} as gates
inner join {{ source('ml', 'champions') }} as champions on gates.as_of = champions.as_of
where gates.as_of <= {{ as_of_date() }}
