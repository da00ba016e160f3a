{# What an order line is. Decided here and nowhere else; docs block `line_kinds`. #}
{% macro line_kind(is_refund, quantity, unit_price) -%}
    case
        when coalesce({{ is_refund }}, false) then 'refund'
        when {{ quantity }} < 0 and {{ unit_price }} > 0 then 'refund'
        when {{ unit_price }} < 0 then 'adjustment'
        when {{ unit_price }} = 0 then 'free'
        else 'sale'
    end
{%- endmacro %}

{# quantity × unit price, exact, rounded to four places. #}
{% macro line_value(quantity, unit_price) -%}
    cast(cast({{ quantity }} as decimal(28, 4)) * {{ unit_price }} as decimal(18, 4))
{%- endmacro %}

{# Why an order counts nowhere; null when it counts. #}
{% macro order_exclusion(is_test, status, ordered_at, is_unpriced) -%}
    case
        when coalesce({{ is_test }}, false) then 'test'
        when {{ status }} in ('cancelled', 'canceled', 'voided', 'failed') then 'void'
        when {{ is_unpriced }} then 'no exchange rate'
        when {{ ordered_at }} is null then 'undated'
    end
{%- endmacro %}

{# An amount in the company's currency, by the table of rates in the settings. Money without a
   currency, and money in the company's own, stays as it is. #}
{% macro in_company_currency(amount, currency) -%}
    {%- set rates = var('rates') -%}
    {%- if not rates -%}
        {{ amount }}
    {%- else -%}
        cast(
            cast({{ amount }} as decimal(38, 10)) * case {{ currency }}
                {%- for name, rate in rates.items() %}
                when '{{ name }}' then cast({{ rate }} as decimal(18, 8))
                {%- endfor %}
                else 1
            end as decimal(18, 4)
        )
    {%- endif -%}
{%- endmacro %}

{# The columns of stg_shop__orders, from raw. #}
{% macro staged_orders() -%}
    {{ to_id('order_id') }} as order_id,
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_email_key('email') }} as email_key,
    {{ to_timestamp('ordered_at') }} as ordered_at,
    upper({{ to_text('currency') }}) as currency,
    lower({{ to_text('status') }}) as status,
    {{ to_text('discount_code') }} as discount_code,
    {{ to_decimal('total_amount') }} as total_amount,
    {{ to_text('channel') }} as channel,
    coalesce({{ to_boolean('is_test') }}, false) as is_test,
    _source,
    _file,
    _load_id,
    _line,
    _item
{%- endmacro %}

{# The columns of stg_shop__order_lines, from raw. #}
{% macro staged_order_lines() -%}
    {{ to_id('order_id') }} as order_id,
    {{ to_id('line_id') }} as line_id,
    {{ to_id('product_id') }} as product_id,
    {{ to_text('product_name') }} as product_name,
    {{ to_text('category') }} as category,
    {{ to_decimal('quantity') }} as quantity,
    {{ to_decimal('unit_price') }} as unit_price,
    {{ to_decimal('discount_amount') }} as discount_amount,
    upper({{ to_text('currency') }}) as currency,
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_timestamp('ordered_at') }} as ordered_at,
    {{ to_text('country') }} as country,
    coalesce({{ to_boolean('is_refund') }}, false) as is_refund,
    _source,
    _file,
    _load_id,
    _line,
    _item
{%- endmacro %}
