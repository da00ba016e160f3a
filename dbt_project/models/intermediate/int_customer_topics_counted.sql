select customer_id, topic_id, cast(count(*) as bigint) as texts
from {{ ref('int_topic_texts_dated') }}
where customer_id is not null and {{ allows_analytics('customer_id') }}
group by customer_id, topic_id
