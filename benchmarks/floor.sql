-- The whole way from typed exports to features in plain DuckDB SQL, as one would write it by hand.
-- Same rules as dbt_project, in the same order; no contracts, tests, quarantine or ledger.

-- Sales: an order is its header and its lines ------------------------------------------------------

-- Who is whom is given: `identities`. Keys and customers are the pipeline's pseudonyms.
create macro pseudonym(namespace, identifier) as
    left(sha256(getvariable('outer_key') || unhex(sha256(getvariable('inner_key') || encode(namespace || ':' || identifier)))), 32);

create table accounts as
select account, i.customer_id
from (select customer_id as account from contacts
    union select customer_id as account from consents
    union select customer_id as account from orders
    union select customer_id as account from app_events
    union select customer_id as account from tickets
    union select customer_id as account from survey_answers
    union select customer_id as account from campaign_events
    union select customer_id as account from web_events)
join identities i on i.kind = 'account' and i.key = pseudonym('customer', account);

update contacts set customer_id = a.customer_id from accounts a where contacts.customer_id = a.account;
update consents set customer_id = a.customer_id from accounts a where consents.customer_id = a.account;
update orders set customer_id = a.customer_id from accounts a where orders.customer_id = a.account;
update app_events set customer_id = a.customer_id from accounts a where app_events.customer_id = a.account;
update tickets set customer_id = a.customer_id from accounts a where tickets.customer_id = a.account;
update survey_answers set customer_id = a.customer_id from accounts a where survey_answers.customer_id = a.account;
update campaign_events set customer_id = a.customer_id from accounts a where campaign_events.customer_id = a.account;

create table emails as
select email, i.customer_id
from (select email from contacts union select lower(email) from orders union select lower(email) from tickets)
join identities i on i.kind = 'email' and i.key = pseudonym('email', email);

create table order_facts as
with classified as (
    select
        order_id, quantity, discount_amount,
        case
            when quantity < 0 and unit_price > 0 then 'refund'
            when unit_price = 0 then 'free'
            else 'sale'
        end as line_kind,
        cast(cast(quantity as decimal(28, 4)) * unit_price as decimal(18, 4)) as list_amount
    from order_lines
),
lines as (
    select
        order_id,
        count(*) filter (line_kind = 'sale') as sale_lines,
        coalesce(sum(list_amount - coalesce(discount_amount, 0)) filter (line_kind = 'sale'), 0) as gross_amount,
        coalesce(sum(abs(list_amount - coalesce(discount_amount, 0))) filter (line_kind = 'refund'), 0) as refund_amount,
        sum(list_amount) filter (line_kind = 'sale') as list_amount,
        sum(discount_amount) filter (line_kind = 'sale') as discount_amount,
        sum(quantity) filter (line_kind = 'sale') as units
    from classified group by order_id
)
select
    coalesce(h.order_id, l.order_id) as order_id,
    coalesce(h.customer_id, e.customer_id) as customer_id,
    h.ordered_at,
    coalesce(h.is_test, false) or coalesce(lower(h.status) in ('cancelled', 'canceled', 'voided', 'failed'), false)
        or h.ordered_at is null as is_excluded,
    coalesce(l.sale_lines, case when h.total_amount > 0 then 1 else 0 end) > 0 as has_sale,
    coalesce(l.gross_amount, greatest(h.total_amount, 0), 0)::decimal(18, 4) as gross_amount,
    coalesce(l.refund_amount, -least(h.total_amount, 0), 0)::decimal(18, 4) as refund_amount,
    l.list_amount, l.discount_amount, l.units
from orders h full join lines l using (order_id)
left join emails e on lower(h.email) = e.email
where h.ordered_at is null or h.ordered_at < getvariable('as_of');

create table customer_orders as
with bought as (
    select
        customer_id,
        min(ordered_at) filter (has_sale) as first_order_at,
        max(ordered_at) filter (has_sale) as last_order_at,
        count(*) filter (has_sale) as frequency,
        count(*) filter (has_sale and units is not null) as orders_with_units,
        count(distinct ordered_at::date) filter (has_sale) as order_days,
        sum(gross_amount) as gross_revenue, sum(refund_amount) as refunds,
        sum(list_amount) as list_amount, sum(discount_amount) as discount_amount, sum(units) as units,
        coalesce(sum(gross_amount) filter (ordered_at >= getvariable('as_of') - interval 90 day), 0) as revenue_last_90_days,
        coalesce(sum(gross_amount) filter (ordered_at >= getvariable('as_of') - interval 180 day
            and ordered_at < getvariable('as_of') - interval 90 day), 0) as revenue_prior_90_days
    from order_facts where customer_id is not null and not is_excluded
    group by customer_id
),
repeated as (
    select o.customer_id, sum(o.gross_amount) as gross_revenue
    from order_facts o join bought b using (customer_id)
    where o.has_sale and not o.is_excluded and o.ordered_at::date > b.first_order_at::date
    group by o.customer_id
),
refunded as (
    select o.customer_id, sum(r.amount) as refunds
    from refunds r join order_facts o using (order_id)
    where r.refunded_at < getvariable('as_of') and o.customer_id is not null and not o.is_excluded
    group by o.customer_id
)
select
    customer_id, first_order_at, last_order_at,
    date_diff('day', first_order_at::date, getvariable('as_of')::date)::integer as days_since_first_order,
    date_diff('day', last_order_at::date, getvariable('as_of')::date)::integer as recency_days,
    frequency::bigint as frequency,
    b.gross_revenue::decimal(18, 4) as gross_revenue,
    (b.refunds + coalesce(r.refunds, 0))::decimal(18, 4) as refunds,
    (b.gross_revenue - b.refunds - coalesce(r.refunds, 0))::decimal(18, 4) as monetary,
    b.gross_revenue::double / nullif(frequency::double, 0) as average_order_value,
    units::double / nullif(orders_with_units::double, 0) as basket_size,
    case when discount_amount is not null and list_amount > 0
        then least(greatest(discount_amount::double / list_amount::double, 0.0), 1.0) end as discount_share,
    date_diff('day', first_order_at::date, last_order_at::date)::double
        / nullif((order_days - 1)::double, 0) as inter_purchase_days,
    case when order_days > 0 then order_days - 1 end as repeat_purchase_days,
    t.gross_revenue::double / nullif((order_days - 1)::double, 0) as repeat_day_revenue,
    revenue_last_90_days::decimal(18, 4) as revenue_last_90_days,
    revenue_prior_90_days::decimal(18, 4) as revenue_prior_90_days,
    (revenue_last_90_days - revenue_prior_90_days)::double
        / nullif((revenue_last_90_days + revenue_prior_90_days)::double, 0) as purchase_trend
from bought b left join refunded r using (customer_id) left join repeated t using (customer_id);

create table customer_products as
with categorised as (
    select o.customer_id, l.product_id, p.category,
           sum((cast(l.quantity as decimal(28, 4)) * l.unit_price)::decimal(18, 4)
               - coalesce(l.discount_amount, 0)) as amount
    from order_lines l join order_facts o using (order_id) left join products p using (product_id)
    where l.quantity >= 0 and l.unit_price > 0 and o.customer_id is not null and not o.is_excluded
    group by all
),
favourites as (
    select customer_id, count(*) as distinct_categories,
           min_by(category, row(-amount, category)) as favourite_category
    from (select customer_id, category, sum(amount) as amount from categorised
          where category is not null group by all)
    group by customer_id
)
select customer_id, count(distinct product_id) as distinct_products,
       any_value(distinct_categories) as distinct_categories,
       any_value(favourite_category) as favourite_category
from categorised left join favourites using (customer_id) group by customer_id;

-- Her stage, from her last two order dates: rhythms are those of the time of each order.
create table stages as
with order_days as (
    select customer_id, ordered_at::date as day, count(*) as orders from order_facts
    where customer_id is not null and not is_excluded and has_sale group by all
),
spaced as (
    select *, row_number() over dates as n, sum(orders) over dates as orders_so_far,
           day - min(day) over dates as span, day - lag(day) over dates as gap
    from order_days window dates as (partition by customer_id order by day)
),
usual as (
    select month, quantile_disc(gap, 0.5) as usual_gap
    from (select distinct date_trunc('month', day) as month from spaced)
    join (select day, gap from spaced where n = 2) on day < month
    group by month having count(*) >= 30
),
rhythms as (
    select *, greatest((coalesce(usual_gap, 90) + span)::double / n, 7) as rhythm
    from spaced left join usual on date_trunc('month', day) = month
),
followed as (
    select *, lag(rhythm) over (partition by customer_id order by day) as rhythm_before from rhythms
)
select
    customer_id,
    case
        when silence > floor(round(6.0 * rhythm, 6)) then 'churned'
        when silence > floor(round(3.0 * rhythm, 6)) then 'dormant'
        when silence > floor(round(1.5 * rhythm, 6)) then 'slipping'
        when gap > floor(round(6.0 * rhythm_before, 6)) then 'won_back'
        when orders_so_far <= 2 and span + silence <= 90 then 'onboarding'
        else 'active'
    end as lifecycle_stage
from (select *, getvariable('as_of')::date - day as silence from followed)
qualify row_number() over (partition by customer_id order by day desc) = 1;

-- An empty score band is possible, an unequal score for equal values is not.
create table customer_scores as
select
    customer_id,
    (1 + floor(5 * (rank() over (order by recency_days desc nulls first) - 1)::double / count(*) over ()))::integer as r_score,
    (1 + floor(5 * (rank() over (order by frequency nulls first) - 1)::double / count(*) over ()))::integer as f_score,
    (1 + floor(5 * (rank() over (order by monetary nulls first) - 1)::double / count(*) over ()))::integer as m_score,
    lifecycle_stage
from customer_orders left join stages using (customer_id) where frequency > 0;

-- Consent: who does not allow analytics, by what she last said --------------------------------------

create table refused as
select customer_id from consents where purpose = 'analytics' and changed_at < getvariable('as_of')
group by customer_id having not max_by(is_granted, row(changed_at, not is_granted));

-- Web: slots, sessions, owners ------------------------------------------------------------------------

create table visits as
with agents as (
    select user_agent, regexp_matches(replace(lower(user_agent), 'cubot', ''),
        'bot|crawl|spider|slurp|scraper|headless|lighthouse|pingdom|uptime|phantomjs'
        '|facebookexternalhit|mediapartners|python-|curl/|wget/|go-http|libwww|httpclient') as is_crawler
    from (select distinct user_agent from web_events)
)
select
    coalesce(anonymous_id, 'customer:' || customer_id) as device_id,
    customer_id as account,
    occurred_at::date as event_date,
    floor(epoch(occurred_at) / (60 * getvariable('gap')))::bigint as time_slot,
    min(occurred_at) as first_at, max(occurred_at) as last_at,
    count(*) as events,
    count(*) filter (kind = 'page') as page_views,
    count(*) filter (kind = 'Product Added') as add_to_carts,
    count(*) filter (kind = 'Order Completed') as purchases,
    sum(case kind when 'Product Viewed' then 2 when 'Product Added' then 5 when 'Order Completed' then 10 else 1 end) as points
from web_events left join agents using (user_agent)
where occurred_at < getvariable('as_of') and not coalesce(is_crawler, false)
group by 1, 2, 3, 4;

-- A minute can only be too full in a slot that is.
create table rapid_devices as
select distinct device_id from (
    select v.device_id from web_events e
    join (select device_id, event_date, time_slot from visits group by all having sum(events) > 40) v
        on v.device_id = coalesce(e.anonymous_id, 'customer:' || e.customer_id)
        and v.event_date = e.occurred_at::date
        and v.time_slot = floor(epoch(e.occurred_at) / (60 * getvariable('gap')))::bigint
    where e.occurred_at < getvariable('as_of')
    group by v.device_id, date_trunc('minute', e.occurred_at) having count(*) > 40
);

create table sessions as
with marked as (
    select *, case when first_at < max(last_at) over (partition by device_id order by first_at
        rows between unbounded preceding and 1 preceding) + to_minutes(getvariable('gap')) then 0 else 1 end as starts
    from visits where device_id is not null
),
numbered as (
    select *, sum(starts) over (partition by device_id order by first_at rows unbounded preceding) as session_number
    from marked
),
by_account as (
    select
        device_id, min(account) as first_account, max(account) as last_account,
        min(first_at) as started_at, max(last_at) as ended_at, sum(events) as events,
        sum(page_views) as page_views, sum(add_to_carts) as add_to_carts, sum(purchases) as purchases,
        (sum(points) * power(0.5, date_diff('day', min(first_at)::date, getvariable('as_of')::date)::double
            / getvariable('half_life')))::decimal(28, 9) as engagement
    from numbered group by device_id, session_number
),
grouped as (
    select b.*, f.customer_id as first_customer_id, l.customer_id as last_customer_id
    from by_account b left join accounts f on first_account = f.account left join accounts l on last_account = l.account
),
owners as (
    select device_id, min(first_customer_id) as customer_id from grouped
    where first_customer_id is not null group by device_id
    having min(least(first_customer_id, last_customer_id)) = max(greatest(first_customer_id, last_customer_id))
),
-- Anonymous sessions go to the device's one customer, within 30 days of a session in which she is known.
near as (
    select g.device_id, g.started_at, o.customer_id
    from grouped g join owners o using (device_id)
    where g.first_customer_id is null and exists (
        select 1 from grouped k where k.device_id = g.device_id and k.first_customer_id is not null
            and k.started_at between g.started_at - interval 30 day and g.started_at + interval 30 day)
)
select
    g.*,
    -- Two people in one session: nobody knows whose it is.
    case when first_customer_id = last_customer_id then first_customer_id else n.customer_id end as customer_id
from grouped g left join near n using (device_id, started_at)
where device_id not in (from rapid_devices)
    and epoch(ended_at) - epoch(started_at) <= 24 * 3600 and events <= 5000;

create table customer_web as
select
    customer_id, count(*) as web_sessions,
    date_diff('day', max(started_at)::date, getvariable('as_of')::date)::integer as session_recency_days,
    count(*) filter (started_at >= getvariable('as_of') - interval 90 day) as sessions_last_90_days,
    sum(page_views)::bigint as page_views, sum(page_views)::double / count(*) as pages_per_session,
    (count(*) filter (add_to_carts > 0))::double / count(*) as add_to_cart_rate,
    (count(*) filter (add_to_carts > 0 and purchases = 0))::double
        / nullif((count(*) filter (add_to_carts > 0))::double, 0) as cart_abandonment_rate,
    sum(engagement) as engagement
from sessions where customer_id is not null and customer_id not in (from refused) group by customer_id;

create table customer_browsing as
with buyers as (
    select customer_id, ordered_at as happened_at from order_facts
    where customer_id is not null and not is_excluded and has_sale and customer_id not in (from refused)
),
timed as (
    select *, min(happened_at) filter (not is_order) over (partition by customer_id order by happened_at
        range between interval 7 day preceding and current row) as began_at
    from (select *, true as is_order from buyers union all
          select customer_id, started_at, false from sessions
          where customer_id in (select customer_id from buyers))
)
select customer_id, median(round((epoch(happened_at) - epoch(began_at)) / 3600.0, 6)) as browse_to_buy_hours
from timed where is_order and began_at is not null group by customer_id;

-- App, social, support, surveys, campaigns ----------------------------------------------------------

create table customer_app as
with days as (
    select customer_id, session_id, occurred_at::date as event_date,
           sum(duration_seconds::decimal(18, 3)) as seconds,
           sum(case when lower(event_name) in ('product viewed', 'product_viewed', 'view_item') then 2
                    when lower(event_name) in ('product added', 'product_added', 'add_to_cart') then 5
                    when lower(event_name) in ('order completed', 'order_completed', 'purchase') then 10
                    else 1 end) as points
    from app_events where occurred_at < getvariable('as_of') group by all
)
select
    customer_id, nullif(count(distinct session_id), 0) as app_sessions,
    count(distinct event_date) as app_active_days, sum(seconds)::double / 60 as app_minutes,
    sum((points * power(0.5, date_diff('day', event_date, getvariable('as_of')::date)::double
        / getvariable('half_life')))::decimal(28, 9)) as engagement
from days where customer_id not in (from refused) group by customer_id;

create table customer_social as
with handles as (
    select handle, i.customer_id
    from (select distinct handle from contacts)
    join identities i on i.kind = 'handle' and i.key = pseudonym('handle', handle)
    where i.customer_id not in (from refused)
),
written as (
    select customer_id, count(*) as posts, sum(likes) as likes, sum(comments) as comments, sum(shares) as shares,
           sum(sentiment::decimal(28, 6))::double / nullif(count(sentiment), 0) as mean_sentiment
    from posts join handles on author_handle = handle left join sentiments using (text)
    where posted_at < getvariable('as_of') group by customer_id
),
known as (
    select * from follows where (followed_at is null or followed_at < getvariable('as_of'))
        and follower_handle <> followed_handle
),
network as (
    select customer_id, sum(followers) as followers, sum(following) as following
    from (select followed_handle as handle, 1 as followers, 0 as following from known
          union all select follower_handle, 0, 1 from known)
    join handles using (handle) group by customer_id
)
select
    customer_id,
    coalesce(posts, 0)::bigint as posts,
    (case when posts is null then 0 else likes end)::bigint as likes,
    (case when posts is null then 0 else comments end)::bigint as comments,
    case when coalesce(likes, comments, shares) is not null
        then (coalesce(likes, 0) + coalesce(comments, 0) + coalesce(shares, 0))::double / posts end as engagement_rate,
    mean_sentiment, coalesce(followers, 0)::bigint as followers, coalesce(following, 0)::bigint as following
from written full join network using (customer_id);

create table customer_support as
with known as (
    select
        coalesce(t.customer_id, e.customer_id) as customer_id, opened_at,
        case when closed_at < getvariable('as_of') then closed_at end as closed_at,
        case when closed_at is null or closed_at < getvariable('as_of') then satisfaction end as satisfaction
    from tickets t left join emails e on lower(t.email) = e.email
    where opened_at < getvariable('as_of')
)
select
    customer_id, count(*) as tickets,
    sum(round((epoch(closed_at) - epoch(opened_at)) / 3600.0, 6)::decimal(28, 6))::double
        / nullif(count(closed_at), 0) as mean_resolution_hours,
    sum(satisfaction::decimal(28, 6))::double / nullif(count(satisfaction), 0) as mean_satisfaction
from known where customer_id is not null group by customer_id;

create table customer_surveys as
select customer_id, count(*) as survey_answers,
       sum(nps::decimal(28, 6))::double / nullif(count(nps), 0) as mean_nps
from survey_answers where answered_at < getvariable('as_of') group by customer_id;

create table customer_campaigns as
with sends as (
    select customer_id, max((event = 'sent')::integer) as sent,
           max((event in ('opened', 'clicked'))::integer) as opened, max((event = 'clicked')::integer) as clicked
    from campaign_events where occurred_at < getvariable('as_of')
    group by customer_id, campaign_id, channel, variant
)
select customer_id, sum(sent)::bigint as campaign_sends,
       case when not any_value(is_refused) then sum(sent * opened)::double / nullif(sum(sent), 0) end as campaign_open_rate,
       case when not any_value(is_refused) then sum(sent * clicked)::double / nullif(sum(sent), 0) end as campaign_click_rate
from (select *, customer_id in (from refused) as is_refused from sends) group by customer_id;

-- One row per customer -------------------------------------------------------------------------------

create schema features;
create table features.customer_features as
with customers as (
    select customer_id, min(created_at) as contact_created_at, max(is_contact) = 1 as has_contact
    from (
        select customer_id, created_at, 1 as is_contact from contacts
        where created_at is null or created_at < getvariable('as_of')
        union all by name select customer_id, 0 as is_contact from customer_orders
        union all by name select customer_id, 0 as is_contact from customer_web
        union all by name select customer_id, 0 as is_contact from customer_app
        union all by name select customer_id, 0 as is_contact from customer_support
        union all by name select customer_id, 0 as is_contact from customer_surveys
        union all by name select customer_id, 0 as is_contact from customer_campaigns
        union all by name select distinct customer_id, 0 as is_contact from visits join accounts using (account) where customer_id not in (from refused)
    ) group by customer_id
)
select
    c.customer_id,
    getvariable('as_of')::date as as_of,
    c.has_contact, o.customer_id is not null as has_orders, w.customer_id is not null as has_web,
    a.customer_id is not null as has_app, s.customer_id is not null as has_social,
    t.customer_id is not null as has_support, v.customer_id is not null as has_survey,
    m.customer_id is not null as has_campaign,
    c.customer_id not in (from refused) as is_analytics_allowed,
    o.first_order_at, o.last_order_at, o.recency_days, o.frequency, o.gross_revenue, o.refunds, o.monetary,
    o.average_order_value, o.basket_size, p.distinct_products, p.distinct_categories, p.favourite_category,
    o.discount_share, o.inter_purchase_days, o.repeat_purchase_days, o.repeat_day_revenue, o.revenue_last_90_days, o.revenue_prior_90_days, o.purchase_trend,
    coalesce(o.days_since_first_order,
             date_diff('day', c.contact_created_at::date, getvariable('as_of')::date)::integer) as tenure_days,
    r.r_score, r.f_score, r.m_score, r.r_score::varchar || r.f_score || r.m_score as rfm_score,
    w.web_sessions, w.session_recency_days, w.sessions_last_90_days, w.page_views, w.pages_per_session,
    w.add_to_cart_rate, w.cart_abandonment_rate, b.browse_to_buy_hours,
    case when w.customer_id is not null or a.customer_id is not null
        then round((coalesce(w.engagement, 0) + coalesce(a.engagement, 0))::double, 6) end as engagement_score,
    a.app_sessions, a.app_active_days, a.app_minutes,
    s.posts, s.likes, s.comments, s.engagement_rate, s.mean_sentiment, s.followers, s.following,
    t.tickets, t.mean_resolution_hours, t.mean_satisfaction,
    v.survey_answers, v.mean_nps, m.campaign_sends, m.campaign_open_rate, m.campaign_click_rate,
    case when s.mean_sentiment is not null
        then round(o.monetary::double * greatest(s.mean_sentiment, 0.0), 6) end as advocacy_value,
    case when o.monetary is not null
        then round(ln(1.0 + greatest(o.monetary::double, 0.0)) * engagement_score, 6) end as value_engagement,
    coalesce(r.lifecycle_stage, 'prospect') as lifecycle_stage
from customers c
left join customer_orders o using (customer_id) left join customer_products p using (customer_id)
left join customer_scores r using (customer_id) left join customer_web w using (customer_id)
left join customer_browsing b using (customer_id) left join customer_app a using (customer_id)
left join customer_social s using (customer_id) left join customer_support t using (customer_id)
left join customer_surveys v using (customer_id) left join customer_campaigns m using (customer_id);
