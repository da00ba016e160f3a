{# A score from 1 to 5 over the rows of the query: 1 + floor(5 × share of rows strictly worse).
   5 is for those better than at least four fifths. Equal values always get equal scores; when all
   are equal, all get 1. `better` says whether a high or a low value is good. #}
{% macro score_1_to_5(value, better='high') -%}
    cast(1 + floor(
        cast(5 * (rank() over (order by {{ value }} {{ 'asc' if better == 'high' else 'desc' }} nulls first) - 1) as double)
        / cast(count(*) over () as double)
    ) as integer)
{%- endmacro %}

{# Days without an order after which a buyer is no longer what she was; docs block `lifecycle_stage`. #}
{% macro days_of_silence(ratio, rhythm_days) -%}
    cast(floor(round({{ ratio }} * {{ rhythm_days }}, 6)) as integer)
{%- endmacro %}
