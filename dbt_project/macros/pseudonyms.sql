{# What stands for an identifier downstream of raw: a keyed hash (HMAC-SHA-256, 32 hex digits).
   Clear values stay in raw, quarantine and the vault (stg_vault__identifiers). #}

{# The pseudonym of `identifier`, SQL text; null for null. Each namespace has its own. #}
{% macro pseudonym(namespace, identifier) -%}
    {{ return(adapter.dispatch('pseudonym', 'tessera')(namespace, identifier)) }}
{%- endmacro %}

{# The function is made on each connection by tessera/privacy/dbt_plugin.py: no key in the SQL. #}
{% macro duckdb__pseudonym(namespace, identifier) -%} pseudonym('{{ namespace }}', {{ identifier }}) {%- endmacro %}

{% macro spark__pseudonym(namespace, identifier) -%}
    {{ exceptions.raise_compiler_error(
        "Pseudonyms on Spark need a session with a function pseudonym(namespace, identifier) that is"
        ~ " tessera.privacy.pseudonym.pseudonym with the key, for example a Python UDF. Register it"
        ~ " and dispatch to it here."
    ) }}
{%- endmacro %}

{# From raw columns. An id that is an e-mail address is one whatever its case. #}
{% macro to_customer_key(column) -%} {{ pseudonym('customer', to_customer(column)) }} {%- endmacro %}
{% macro to_email_key(column) -%} {{ pseudonym('email', to_email(column)) }} {%- endmacro %}
{% macro to_handle_key(column) -%} {{ pseudonym('handle', to_handle(column)) }} {%- endmacro %}
{% macro to_author_key(network, author_id) -%}
    {{ pseudonym('author', to_author(network, author_id)) }}
{%- endmacro %}
{% macro to_text_hash(column) -%} {{ pseudonym('text', to_text(column)) }} {%- endmacro %}

{# A customer's id in clear, as the vault keeps it. #}
{% macro to_customer(column) -%}
    case when {{ column }} like '%@%' then {{ to_email(column) }} else {{ to_id(column) }} end
{%- endmacro %}

{# The number of a social account in clear, as the vault keeps it; each network counts its own. #}
{% macro to_author(network, author_id) -%}
    {{ to_network(network) }} || ':' || {{ to_id(author_id) }}
{%- endmacro %}

{# A device's id. It names a browser or a telephone, not a person, and stays, unless the export
   fills it with e-mail addresses. #}
{% macro to_device(column) -%}
    case when {{ column }} like '%@%' then {{ pseudonym('device', to_email(column)) }} else {{ to_id(column) }} end
{%- endmacro %}

{# A list of handles, as JSON or separated by blanks or commas: a JSON list of their pseudonyms. #}
{% macro to_handle_keys(column) -%} {{ return(adapter.dispatch('to_handle_keys', 'tessera')(column)) }} {%- endmacro %}
{% macro duckdb__to_handle_keys(column) -%}
    cast(to_json(list_transform(
        regexp_extract_all({{ column }}, '[^\s,"\[\]]+'),
        lambda mention: {{ pseudonym('handle', to_handle('mention')) }}
    )) as varchar)
{%- endmacro %}
{% macro spark__to_handle_keys(column) -%}
    to_json(transform(
        filter(split({{ column }}, '[\\s,"\\[\\]]+'), mention -> mention <> ''),
        mention -> {{ pseudonym('handle', to_handle('mention')) }}
    ))
{%- endmacro %}

{# A path or address without what follows ? or #, where forms put what people type, and with
   e-mail addresses blotted out. #}
{% macro to_path(column) -%}
    {%- set place = replace_all(to_text(column), '[?#].*$', '') -%}
    case
        when position('@' in {{ column }}) > 0 or position('%40' in {{ column }}) > 0
            then nullif({{ replace_all(place, '[^/ ]+(@|%40)[^/ ]+', 'e-mail') }}, '')
        when position('?' in {{ column }}) > 0 or position('#' in {{ column }}) > 0 then nullif({{ place }}, '')
        else {{ to_text(column) }}
    end
{%- endmacro %}
