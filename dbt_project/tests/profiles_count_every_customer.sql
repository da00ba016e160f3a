-- The segments' customers and revenue add up to the customers and revenue of customer_segments.
with profiles as (
    select coalesce(sum(customers), 0) as customers
    from {{ ref('segment_profiles') }}
),

members as (
    select count(*) as customers
    from {{ ref('customer_segments') }}
)

select profiles.customers as in_profiles, members.customers as in_segments
from profiles
cross join members
where profiles.customers <> members.customers
