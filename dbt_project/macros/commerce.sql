{# What people do in a web shop, in the words of any vendor; docs block `commerce_actions`. #}

{# The names that Segment, Google Analytics 4 and Snowplow give to one action. #}
{% macro commerce_names() -%}
    {{ return({
        'list_view': ['product list viewed', 'product_list_viewed', 'view_item_list', 'list_view'],
        'list_click': ['product clicked', 'product_clicked', 'select_item', 'list_click'],
        'product_view': ['product viewed', 'product_viewed', 'view_item', 'product_view'],
        'add_to_cart': ['product added', 'product_added', 'add_to_cart'],
        'remove_from_cart': ['product removed', 'product_removed', 'remove_from_cart'],
        'cart_view': ['cart viewed', 'cart_viewed', 'view_cart'],
        'checkout_start': ['checkout started', 'checkout_started', 'begin_checkout'],
        'checkout_step': [
            'checkout step viewed', 'checkout step completed', 'payment info entered',
            'add_shipping_info', 'add_payment_info', 'checkout_step',
        ],
        'purchase': ['order completed', 'order_completed', 'purchase', 'transaction'],
        'refund': ['order refunded', 'order_refunded', 'refund'],
    }) }}
{%- endmacro %}

{% macro commerce_action(event_name) -%}
    case lower({{ event_name }})
        {%- for action, names in commerce_names().items() %}
        {%- for name in names %}
        when '{{ name }}' then '{{ action }}'
        {%- endfor %}
        {%- endfor %}
    end
{%- endmacro %}

{# Members of a product in a list of products; each is read as text. #}
{% macro product_members() -%}
    {{ return(['product_id', 'name', 'category', 'brand', 'variant', 'price', 'quantity', 'currency', 'position']) }}
{%- endmacro %}

{# True when the text is a JSON list; false for everything else, null for null. #}
{% macro is_json_list(text) -%} {{ return(adapter.dispatch('is_json_list', 'tessera')(text)) }} {%- endmacro %}
{% macro duckdb__is_json_list(text) -%}
    case when json_valid({{ text }}) then json_type({{ text }}) = 'ARRAY' else {{ text }} is null and null end
{%- endmacro %}
{% macro spark__is_json_list(text) -%}
    case
        when {{ text }} is null then null
        else from_json({{ text }}, 'array<string>') is not null and {{ text }} rlike '^\\s*\\['
    end
{%- endmacro %}

{# SELECT of a relation's rows, once for each product in its column `products`, a JSON list: the
   relation's columns, `item_number` (from 1) and `item`, a struct of product_members(). #}
{% macro product_items(relation) -%} {{ return(adapter.dispatch('product_items', 'tessera')(relation)) }} {%- endmacro %}

{% macro duckdb__product_items(relation) -%}
    {%- set structure = [] -%}
    {%- for member in product_members() -%}{%- do structure.append('"' ~ member ~ '": "VARCHAR"') -%}{%- endfor -%}
    select
        * exclude (items),
        unnest(items) as item,
        generate_subscripts(items, 1) as item_number
    from (
        select
            *,
            case when {{ is_json_list('products') }} then from_json(products, '[{ {{- structure | join(', ') -}} }]') end as items
        from {{ relation }}
        where products is not null
    ) as listed
{%- endmacro %}

{% macro spark__product_items(relation) -%}
    select
        listed.*,
        exploded.item,
        exploded.position_from_zero + 1 as item_number
    from {{ relation }} as listed
    lateral view posexplode(
        from_json(products, 'array<struct<{{ product_members() | join(': string, ') }}: string>>')
    ) exploded as position_from_zero, item
{%- endmacro %}

{# Numbers within exported JSON are checked nowhere before: what is no number is null. #}
{% macro decimal_or_null(text) -%} try_cast({{ text }} as decimal(18, 4)) {%- endmacro %}
