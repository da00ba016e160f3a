with permitted as (
    select customer_id from {{ ref('int_customers_collected') }}
    where {{ allows_analytics('customer_id') }}
),

engagement as (
    select
        coalesce(web.customer_id, app.customer_id) as customer_id,
        round(cast(coalesce(web.engagement, 0) + coalesce(app.engagement, 0) as double), 6) as engagement_score
    from {{ ref('int_customer_web_aggregated') }} as web
    full outer join {{ ref('int_customer_app_aggregated') }} as app on web.customer_id = app.customer_id
)

select
    customers.customer_id,
    {{ as_of_date() }} as as_of,
    customers.has_contact,
    orders.customer_id is not null as has_orders,
    web.customer_id is not null as has_web,
    app.customer_id is not null as has_app,
    social.customer_id is not null as has_social,
    support.customer_id is not null as has_support,
    surveys.customer_id is not null as has_survey,
    campaigns.customer_id is not null as has_campaign,
    demographics.customer_id is not null as has_demographics,
    permitted.customer_id is not null as is_analytics_allowed,

    orders.first_order_at,
    orders.last_order_at,
    orders.recency_days,
    orders.frequency,
    orders.gross_revenue,
    orders.refunds,
    orders.monetary,
    orders.decayed_frequency,
    orders.decayed_monetary,
    orders.refund_share,
    orders.void_orders,
    orders.busiest_hour_orders,
    orders.average_order_value,
    orders.basket_size,
    products.distinct_products,
    products.distinct_categories,
    products.favourite_category,
    orders.discount_share,
    orders.inter_purchase_days,
    orders.repeat_purchase_days,
    orders.repeat_day_revenue,
    orders.revenue_last_90_days,
    orders.revenue_prior_90_days,
    orders.purchase_trend,
    velocity.first_visit_to_buy_days,
    velocity.median_purchase_gap_days,
    velocity.overdue_ratio,
    case
        when orders.frequency > 0
            then {{ churn_indicators('velocity.overdue_ratio', 'orders.purchase_trend', 'velocity.session_trend') }}
    end as churn_indicators,
    coalesce(
        orders.days_since_first_order,
        {{ days_until_as_of('customers.contact_created_at') }}
    ) as tenure_days,

    scores.r_score,
    scores.f_score,
    scores.m_score,
    cast(scores.r_score as {{ dbt.type_string() }})
        || cast(scores.f_score as {{ dbt.type_string() }})
        || cast(scores.m_score as {{ dbt.type_string() }}) as rfm_score,

    web.web_sessions,
    web.session_recency_days,
    web.sessions_last_90_days,
    web.page_views,
    web.pages_per_session,
    web.add_to_cart_rate,
    web.cart_abandonment_rate,
    browsing.browse_to_buy_hours,
    velocity.session_trend,
    engagement.engagement_score,

    app.app_sessions,
    app.app_active_days,
    app.app_minutes,

    social.posts,
    social.likes,
    social.comments,
    social.engagement_rate,
    social.mean_sentiment,
    social.followers,
    social.following,
    topics.main_topic_id,
    topics.main_topic,
    topics.main_topic_share,
    network.community_id,
    network.influence,
    network.coreness as network_coreness,
    network.audience,
    network.is_bridge,

    support.tickets,
    support.decayed_tickets,
    support.mean_resolution_hours,
    support.mean_satisfaction,

    surveys.survey_answers,
    surveys.mean_nps,

    texts.mean_ticket_sentiment,
    texts.mean_survey_sentiment,
    texts.sentiment_trend,
    texts.complaints_last_90_days,
    texts.praises_last_90_days,
    texts.purchase_intents_last_90_days,
    texts.churn_threats_last_90_days,
    texts.main_language,

    campaigns.campaign_sends,
    campaigns.campaign_open_rate,
    campaigns.campaign_click_rate,

    demographics.age_band,
    demographics.income_band,
    demographics.household_size,
    demographics.education,
    demographics.occupation,
    demographics.home_ownership,
    profiles.profile_completeness,
    profiles.next_question,

    -- Written out: greatest() skips nulls, and a loss × 0 would be -0.0.
    case
        when orders.monetary is null or social.mean_sentiment is null then null
        when social.mean_sentiment <= 0 then 0.0
        else round(cast(orders.monetary as double) * social.mean_sentiment, 6)
    end as advocacy_value,
    -- A net loss counts as no spend.
    case
        when orders.monetary is not null
            then round(ln(1.0 + greatest(cast(orders.monetary as double), 0.0)) * engagement.engagement_score, 6)
    end as value_engagement,
    coalesce(scores.lifecycle_stage, 'prospect') as lifecycle_stage,
    scores.lifecycle_since
from {{ ref('int_customers_collected') }} as customers
left join {{ ref('int_customer_orders_aggregated') }} as orders on customers.customer_id = orders.customer_id
left join {{ ref('int_customer_products_aggregated') }} as products on customers.customer_id = products.customer_id
left join {{ ref('int_customers_scored') }} as scores on customers.customer_id = scores.customer_id
left join {{ ref('int_customer_web_aggregated') }} as web on customers.customer_id = web.customer_id
left join {{ ref('int_customer_browsing_timed') }} as browsing on customers.customer_id = browsing.customer_id
left join {{ ref('int_customer_velocity_timed') }} as velocity on customers.customer_id = velocity.customer_id
left join {{ ref('int_customer_app_aggregated') }} as app on customers.customer_id = app.customer_id
left join engagement on customers.customer_id = engagement.customer_id
left join {{ ref('int_customer_social_aggregated') }} as social on customers.customer_id = social.customer_id
left join {{ ref('int_customer_topics_aggregated') }} as topics on customers.customer_id = topics.customer_id
left join {{ ref('int_customer_network_measured') }} as network on customers.customer_id = network.customer_id
left join {{ ref('int_customer_support_aggregated') }} as support on customers.customer_id = support.customer_id
left join {{ ref('int_customer_surveys_aggregated') }} as surveys on customers.customer_id = surveys.customer_id
left join {{ ref('int_customer_texts_aggregated') }} as texts on customers.customer_id = texts.customer_id
left join {{ ref('int_customer_campaigns_aggregated') }} as campaigns on customers.customer_id = campaigns.customer_id
left join {{ ref('int_demographics_resolved') }} as demographics on customers.customer_id = demographics.customer_id
left join {{ ref('int_customer_profile_completed') }} as profiles on customers.customer_id = profiles.customer_id
left join permitted on customers.customer_id = permitted.customer_id
