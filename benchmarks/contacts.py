"""Contact records as a company collects them, with known truth: who is whom.

Made set-based by hashes, the same for the same number. One person in five has several: typed with
errors, cut short, moved, under another address. First and last names, streets and places are drawn
by Zipf and Mandelbrot's law, so that namesakes are as frequent as in a country (the most frequent
last name 1 %); one in six people shares last name, home and telephone with another; what is not
given is empty.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

# A number in [0, 1) of a record and a purpose; a rank by Zipf and Mandelbrot; a made-up word.
MACROS = """
create or replace temp macro chance(x, purpose) as (number(x, purpose) >> 11) / 9007199254740992.0;
create or replace temp macro ranked(x, purpose, most, flat) as
    cast(floor(flat * pow((most + flat) / flat, chance(x, purpose)) - flat) as bigint);
create or replace temp macro syllable(n) as
    substr('bdfghjklmnprstvwz', 1 + cast(n % 17 as integer), 1)
    || (['a', 'e', 'i', 'o', 'u', 'er', 'an', 'ie', 'el', 'ar', 'on', 'ö'])[
        1 + cast((n // 17) % 12 as integer)];
create or replace temp macro word(n, salt) as
    syllable(number(n, salt || '.1')) || syllable(number(n, salt || '.2'))
    || syllable(number(n, salt || '.3'))
    || case when number(n, salt || '.4') % 2 = 0 then 'n' else '' end;
create or replace temp macro mistyped(text, x, purpose) as
    case cast(number(x, purpose || '.1') % 4 as integer)
        when 0 then left(text, place(text, x, purpose)) || substr(text, place(text, x, purpose) + 2)
        when 1 then left(text, place(text, x, purpose) - 1)
            || reverse(substr(text, place(text, x, purpose), 2))
            || substr(text, place(text, x, purpose) + 2)
        when 2 then left(text, place(text, x, purpose))
            || substr(text, place(text, x, purpose), 1) || substr(text, place(text, x, purpose) + 1)
        else left(text, place(text, x, purpose))
            || case when number(x, purpose || '.3') % 2 = 0 then 'e' else '7' end
            || substr(text, place(text, x, purpose) + 2)
    end;
"""
# Of the text: hash(x, 1) and hash(x, 2) depend on each other.
NUMBER = """
create or replace temp macro number(x, purpose) as hash(x || '|' || purpose)
"""
PLACE = """
create or replace temp macro place(text, x, purpose) as
    1 + cast(number(x, purpose || '.2') % greatest(length(text) - 1, 1) as integer);
"""

PEOPLE = """
create or replace temp table people as
with drawn as (
    select range as person, case when range % 12 = 1 then range - 1 else range end as home
    from range({records})
),
named as (
    select person, home, word(ranked(person, 1, 3000, 10), 101) as first_name,
        word(ranked(home, 2, 60000, 10), 102) as last_name,
        cast(date '1940-01-01' + cast(chance(person, 3) * 24000 as integer) as varchar)
            as birth_date,
        ranked(home, 4, 8000, 50) as place,
        '0' || (30 + number(home, 5) % 900) || ' ' || (100000 + number(home, 6) % 90000000)
            as phone,
        (['example.org', 'example.com', 'example.net', 'mail.example', 'post.example'])[
            1 + cast(number(person, 7) % 5 as integer)] as provider,
        case when chance(person, 8) < 0.3
            then 'C' || (100000000 + person * 7 + number(person, 16) % 7) end as external_id
    from drawn
),
numbered as (
    select *, row_number() over (
        partition by first_name, last_name, provider order by number(person, 9)) as taken
    from named
)
select * exclude (taken, provider, place),
    strip_accents(case when chance(person, 10) < 0.7
        then first_name || '.' || last_name || case when taken > 1 then taken::varchar else '' end
        else left(first_name, 1) || last_name || cast(number(person, 11) % 100000 as varchar)
    end) || '@' || provider as email,
    word(ranked(home, 12, 30000, 20), 103) || 'straße ' || (1 + number(home, 13) % 120) as street,
    lpad(cast(1000 + place * 11 as varchar), 5, '0') as postal_code,
    word(place // 4, 104) || 'stadt' as city,
    case when chance(person, 14) < 0.1
        then first_name || '_' || cast(number(person, 15) % 10000000 as varchar) end as handle
from numbered
"""
RECORDS = """
create or replace temp table records as
with copies as (
    select *, unnest(range(1 + (chance(person, 20) < 0.2)::integer
        + (chance(person, 20) < 0.05)::integer + (chance(person, 20) < 0.01)::integer)) as copy
    from people
),
spoiled as (
    select person, copy, number(person, copy) as x,
        case when copy > 0 and chance(x, 30) < 0.04 then left(first_name, 1) || '.'
            when copy > 0 and chance(x, 30) < 0.10 then mistyped(first_name, x, 31)
            when chance(x, 30) < 0.98 then first_name end as given_name,
        case when copy > 0 and chance(x, 32) < 0.06 then mistyped(last_name, x, 33)
            when copy > 0 and chance(x, 32) < 0.08 then word(number(x, 34) % 60000, 102)
            else last_name end as surname,
        case when chance(x, 35) < 0.3 then null
            when copy > 0 and chance(x, 35) < 0.33 then mistyped(birth_date, x, 36)
            else birth_date end as birth_date,
        case when chance(x, 37) < 0.08 then null
            when copy > 0 and chance(x, 37) < 0.45
                then strip_accents(left(given_name, 2) || surname) || (number(x, 38) % 1000)
                    || '@mail.example'
            when copy > 0 and chance(x, 37) < 0.50 then mistyped(email, x, 39)
            when chance(x, 37) < 0.60 then upper(email)
            else email end as email,
        case when chance(x, 40) < 0.35 then null
            when copy > 0 and chance(x, 40) < 0.45
                then '0171 ' || (1000000 + number(x, 41) % 9000000)
            when copy > 0 and chance(x, 40) < 0.48 then mistyped(phone, x, 42)
            when chance(x, 40) < 0.60 then '+49 ' || substr(phone, 2)
            when chance(x, 40) < 0.62 then phone || ' privat'
            else phone end as phone,
        copy > 0 and chance(x, 43) < 0.15 as is_moved,
        chance(x, 44) < 0.15 as is_nowhere,
        if(is_moved, word(number(x, 45) % 30000, 103) || 'straße ' || (1 + number(x, 46) % 120),
            if(copy > 0 and chance(x, 47) < 0.08, mistyped(street, x, 48), street)) as road,
        if(is_moved, lpad(cast(1000 + (number(x, 49) % 8000) * 11 as varchar), 5, '0'), postal_code)
            as code,
        if(is_moved, word((number(x, 49) % 8000) // 4, 104) || 'stadt', city) as town,
        if(chance(x, 50) < 0.8, handle, null) as handle,
        if(chance(x, 51) < 0.8, external_id, null) as external_id
    from (select *, number(person, copy) as x from copies)
)
select cast(number(x, 60) as varchar) || '-' || person || '-' || copy as account, person,
    timestamp '2020-01-01' + to_days(cast(chance(x, 61) * 1800 as integer)) as created_at,
    upper(left(given_name, 1)) || substr(given_name, 2) as first_name,
    upper(left(surname, 1)) || substr(surname, 2) as last_name, birth_date, email, phone,
    if(is_nowhere, null, road) as street, if(is_nowhere, null, code) as postal_code,
    if(is_nowhere, null, town) as city, 'DE' as country, handle, external_id
from spoiled qualify row_number() over (order by person, copy) <= {records}
"""


def write(file: Path, records: int) -> None:
    """Write `records` contact records as Parquet: the columns of a contact, and `person`."""
    with duckdb.connect() as connection:
        for query in (NUMBER, PLACE, MACROS, PEOPLE, RECORDS):
            connection.execute(query.replace("{records}", str(records)))
        connection.execute(
            f"copy (select * from records order by account) to '{file}' (format parquet)"
        )
