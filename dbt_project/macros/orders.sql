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
{% macro order_exclusion(is_test, status, ordered_at) -%}
    case
        when coalesce({{ is_test }}, false) then 'test'
        when {{ status }} in ('cancelled', 'canceled', 'voided', 'failed') then 'void'
        when {{ ordered_at }} is null then 'undated'
    end
{%- endmacro %}
