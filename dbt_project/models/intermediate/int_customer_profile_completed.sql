-- Progressive profiling: what is known of each customer, and what to ask next. In order of use.
{% set attributes = {
    'email': 'contacts.email_key',
    'birth_year': 'coalesce(cast(contacts.birth_year as ' ~ dbt.type_string() ~ '), demographics.age_band)',
    'place': 'contacts.place',
    'gender': 'contacts.gender',
    'handle': 'contacts.handle_key',
    'household_size': 'demographics.household_size',
    'income_band': 'demographics.income_band',
    'education': 'demographics.education',
    'occupation': 'demographics.occupation',
    'home_ownership': 'demographics.home_ownership',
} %}

with contacts as (
    select
        accounts.customer_id,
        max(contacts.email_key) as email_key,
        max(contacts.birth_year) as birth_year,
        max(coalesce(contacts.city, contacts.region, contacts.country)) as place,
        max(contacts.gender) as gender,
        max(contacts.handle_key) as handle_key
    from {{ ref('stg_crm__contacts') }} as contacts
    inner join {{ ref('int_accounts_resolved') }} as accounts on contacts.account_id = accounts.account_id
    where contacts.created_at is null or contacts.created_at < {{ as_of_start() }}
    group by accounts.customer_id
)

select
    customers.customer_id,
    cast({% for known in attributes.values() %}
        case when {{ known }} is null then 0 else 1 end{{ ' +' if not loop.last }}
        {%- endfor %} as double) / {{ attributes | length }} as profile_completeness,
    case
        {%- for name, known in attributes.items() %}
        when {{ known }} is null then '{{ name }}'
        {%- endfor %}
    end as next_question
from {{ ref('int_customers_collected') }} as customers
left join contacts on customers.customer_id = contacts.customer_id
left join {{ ref('int_demographics_resolved') }} as demographics on customers.customer_id = demographics.customer_id
