{# Behaviour events of any vendor in seven kinds; docs block `event_kinds`. #}
{% macro event_kind(event_type, event_name) -%}
    case
        when lower({{ event_type }}) in ('page', 'page_view', 'pageview', 'screen') then 'page_view'
        when lower({{ event_name }}) in ('page viewed', 'page_view', 'pageview', 'screen viewed', 'screen_view') then 'page_view'
        when lower({{ event_name }}) in ('product viewed', 'product_viewed', 'view_item', 'product_view') then 'product_view'
        when lower({{ event_name }}) in ('product added', 'product_added', 'add_to_cart') then 'add_to_cart'
        when lower({{ event_name }}) in ('checkout started', 'checkout_started', 'begin_checkout', 'checkout_step') then 'checkout'
        when lower({{ event_name }}) in ('order completed', 'order_completed', 'purchase', 'transaction') then 'purchase'
        when lower({{ event_type }}) = 'identify' then 'login'
        when lower({{ event_name }}) in ('login', 'logged in', 'signed in', 'signed up', 'sign_up') then 'login'
        else 'other'
    end
{%- endmacro %}

{# What an event is worth to the engagement score; docs block `engagement_score`. #}
{% macro event_weights() -%} {{ return({'product_view': 2, 'add_to_cart': 5, 'purchase': 10, 'any other': 1}) }} {%- endmacro %}

{# Points of a row with counted events: columns events, product_views, add_to_carts, purchases. #}
{% macro event_points(counts) -%}
    {%- set weights = event_weights() -%}
    (
        {{ counts }}.events * {{ weights['any other'] }}
        + {{ counts }}.product_views * {{ weights['product_view'] - weights['any other'] }}
        + {{ counts }}.add_to_carts * {{ weights['add_to_cart'] - weights['any other'] }}
        + {{ counts }}.purchases * {{ weights['purchase'] - weights['any other'] }}
    )
{%- endmacro %}

{# Points of an event, decayed by engagement_half_life_days. #}
{% macro decayed_points(points, event_date) -%}
    {{ decayed(points, event_date, var('engagement_half_life_days')) }}
{%- endmacro %}

{# User agents of crawlers, monitors and scripted clients: by words that give them away, and by the
   list of known ones that tessera/dbt.py passes in. Cubot is a telephone, not a bot. #}
{% macro is_crawler(user_agent) -%}
    {%- set words = 'bot|crawl|spider|slurp|scraper|headless|lighthouse|pingdom|uptime|phantomjs'
        ~ '|facebookexternalhit|mediapartners|python-|curl/|wget/|go-http|libwww|httpclient' -%}
    {%- set known = var('crawlers') | join('|') | replace("'", "''") -%}
    {{ matches(
        "replace(lower(" ~ user_agent ~ "), 'cubot', '')",
        '(?i)' ~ words ~ ('|' ~ known if known else '')
    ) }}
{%- endmacro %}
