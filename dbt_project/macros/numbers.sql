{# Arithmetic whose result does not depend on the order in which threads add. #}

{# Hours between two timestamps, as a double rounded to a ten-millionth. #}
{% macro hours_between(earlier, later) -%}
    round(({{ epoch_seconds(later) }} - {{ epoch_seconds(earlier) }}) / 3600.0, 6)
{%- endmacro %}

{# Mean of doubles, added as exact decimals with six places. Null when there is no value. #}
{% macro exact_mean(expression) -%}
    cast(sum(cast({{ expression }} as decimal(28, 6))) as double) / nullif(count({{ expression }}), 0)
{%- endmacro %}

{# a ÷ b as a double; null when b is zero or null. #}
{% macro share(part, whole) -%}
    cast({{ part }} as double) / nullif(cast({{ whole }} as double), 0)
{%- endmacro %}

{# A count that is zero when the export was there and has no row for her (`present` is null),
   and unknown when there was no export. #}
{% macro known_zero(count, has_export, present) -%}
    cast(case when {{ present }} is null and {{ has_export }} then 0 else {{ count }} end as bigint)
{%- endmacro %}

{# amount × 0.5^(age in whole days ÷ half-life), as an exact decimal so that sums do not depend on
   order: what is recent weighs more. #}
{% macro decayed(amount, moment, half_life_days) -%}
    cast(
        ({{ amount }}) * power(0.5, cast({{ days_until_as_of(moment) }} as double) / {{ half_life_days }})
        as decimal(28, 9)
    )
{%- endmacro %}
