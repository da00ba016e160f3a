"""Contact details in one spelling, so that what is the same compares as the same.

SQL does the clean majority; what it cannot read goes, each distinct value once, through
email-validator, phonenumbers (Google's libphonenumber) and text-unidecode.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import duckdb
import phonenumbers
import pyarrow as pa
from email_validator import EmailNotValidError, validate_email
from text_unidecode import unidecode

from tessera.identity.fields import GIVEN

CLEAN_EMAIL = r"^[a-z0-9][a-z0-9._+-]*@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$"
# What SQL turns into a plain international number by itself: digits and the usual separators.
CLEAN_PHONE = r"^[0-9+ ()./-]+$"
_NAMES = ("first_name", "last_name", "street", "city")  # what is written in any alphabet
_REMARK = re.compile(r"[\s,;(/-]*[^\W\d_]\D*$")  # words at the end, which have keypad digits, too
_DIGITS = (7, 15)  # of an international number, ITU-T E.164


def ascii_folded(text: str) -> str:
    """Lower-case Latin letters and digits for any script, blanks kept.

    >>> ascii_folded("Łukasz Straße")
    'lukasz strasse'
    """
    return unidecode(text).lower()


def email_or_none(address: str) -> str | None:
    """The address in lower case and normal form, or None when it is none.

    >>> email_or_none("Ada@ExAmple.org "), email_or_none("none")
    ('ada@example.org', None)
    """
    try:
        found = validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.normalized.lower()


def phone_or_none(number: str, region: str | None) -> str | None:
    """The number in international form (E.164), or None when it cannot be one.

    What is written behind it is no part of it, unless it is none without (1-800-FLOWERS).

    >>> phone_or_none("030 123456 ext. 7", "DE"), phone_or_none("unknown", "DE")
    ('+4930123456', None)
    >>> phone_or_none("030 123456 privat", "DE"), phone_or_none("1-800-FLOWERS", "US")
    ('+4930123456', '+18003569377')
    """
    for spelled in dict.fromkeys((_REMARK.sub("", number), number)):
        with suppress(phonenumbers.NumberParseException):
            found = phonenumbers.parse(spelled, region)
            if phonenumbers.is_possible_number(found):
                return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    return None


def number(
    connection: duckdb.DuckDBPyConnection, contacts: str, accounts: str, salt: str = "''"
) -> None:
    """Make `accounts` (account, record, digest): from 1 on in their order; what they say, hashed.

    `contacts`: as for `normalise`. `salt`: SQL.
    """
    connection.execute(  # hashed first: the details need not be sorted
        f"create or replace temporary table {accounts} as select account, "
        f"cast(row_number() over (order by account) as integer) as record, digest "
        f"from (select account, hash({salt}, {', '.join(GIVEN)}) as digest from {contacts})"
    )


def normalise(
    connection: duckdb.DuckDBPyConnection,
    contacts: str,
    records: str,
    region: str | None = None,
    accounts: str | None = None,
) -> None:
    """Make the temporary table `records` from the relation `contacts`, one row an account.

    `contacts`: account, created_at and the columns of GIVEN, as text. `region`: two-letter code of
    the country whose telephone numbers are meant where a contact names no country. `accounts`:
    account, record of those to read; without it all, numbered in their order.
    """
    if accounts is None:
        number(connection, contacts, "identity_accounts")
    told = accounts or "identity_accounts"
    columns = ", ".join(f"nullif(trim(cast({name} as varchar)), '') as {name}" for name in GIVEN)
    plain = ", ".join(f"{_plain(name)} as plain_{name}" for name in _NAMES)
    connection.execute(
        f"create or replace temporary table identity_given as select *, {plain} "
        f"from (select record, account, created_at, {columns} "
        f"from {contacts} join {told} using (account))"
    )
    _fold(connection)
    _read_emails(connection)
    _read_phones(connection, region)
    connection.execute(_RECORDS.replace("{records}", records))
    for name in ("given", "folded", "emails", "phones", "regions"):
        connection.execute(f"drop table if exists temp.identity_{name}")


_LETTERS = r"regexp_replace({0}, '[^a-z]', '', 'g')"
_SMALL = "((19|20)[0-9][0-9])?|[0-9]?[0-9]"  # a number that says little: small, or a year
_WORDS = r"trim(regexp_replace({0}, '[^a-z0-9]+', ' ', 'g'))"


def _plain(column: str) -> str:
    """SQL: lower case without accents, which for most European letters is what the library says."""
    return f"lower(strip_accents(replace({column}, 'ß', 'ss')))"


def _is_ascii(column: str) -> str:
    """SQL: whether each sign is one byte; a tenth of the cost of a regular expression."""
    return f"strlen({column}) = length({column})"


def _folded(column: str) -> str:
    """SQL: lower-case Latin letters; from the library where SQL alone cannot make them."""
    plain = f"plain_{column}"
    return (
        f"case when {_is_ascii(plain)} then {plain} "
        f"else coalesce((select folded from identity_folded where given = {column}), {plain}) end"
    )


def _spelling(column: str) -> str:
    """SQL: letters as an address spells them, with or without the e of an umlaut."""
    return f"replace(regexp_replace({column}, '([aou])e', '\\1', 'g'), 'ss', 's')"


def _is_spelled(column: str) -> str:
    """SQL: whether the words of `column` are its owner's names, in whole, in part or an initial.

    Numbers that are small or a year are no word: they are what a namesake takes too.
    """
    words = f"list_filter(regexp_split_to_array({_spelling(column)}, '[^a-z]+'), lambda w: w <> '')"
    return f"""coalesce(
        regexp_full_match(regexp_replace({column}, '[^0-9]+', '', 'g'), '{_SMALL}')
        and regexp_matches({column}, '[a-z]')
        and len(list_filter({words}, lambda w: not (
            contains(first || last || first, w)
            or starts_with(w, left(first, 1)) and contains(last, substr(w, 2))
            or starts_with(w, left(last, 1)) and contains(first, substr(w, 2))
        ))) = 0, false)"""


# In layers, so that DuckDB reads each value once: nullif and case would have it read twice.
_RECORDS = f"""
create or replace temporary table {{records}} as
with read as (
    select record, account, created_at, try_cast(birth_date as date) as born, p.phone,
        {_LETTERS.format(_folded("first_name"))} as first_letters,
        {_LETTERS.format(_folded("last_name"))} as last_letters,
        coalesce(clean_email, e.email) as email,
        {_WORDS.format(_folded("street"))} as street_words,
        regexp_replace(upper(postal_code), '[^A-Z0-9]', '', 'g') as postal_signs,
        {_LETTERS.format(_folded("city"))} as city_letters,
        ltrim(lower(handle), '@') as handle_signs,
        regexp_replace(upper(external_id), '[^A-Z0-9]', '', 'g') as external_signs
    from (
        select *, case when regexp_matches(lower(email), '{CLEAN_EMAIL}') then lower(email) end
            as clean_email
        from identity_given
    ) as given
    left join identity_emails as e on given.clean_email is null and e.given = given.email
    left join identity_phones as p
        on p.given = given.phone and p.country is not distinct from given.country
),
filled as (
    select record, account, created_at, nullif(first_letters, '') as first_name,
        nullif(last_letters, '') as last_name,
        cast(born as varchar) as birth_date, email,
        split_part(email, '@', 1) as email_local, phone,
        nullif(street_words, '') as street, nullif(postal_signs, '') as postal_code,
        nullif(city_letters, '') as city, nullif(handle_signs, '') as handle,
        nullif(external_signs, '') as external_id
    from read
),
spelled as (
    select *, {_spelling("coalesce(first_name, '')")} as first,
        {_spelling("coalesce(last_name, '')")} as last
    from filled
)
select * exclude (first, last), {_is_spelled("email_local")} as spells_email,
    {_is_spelled("handle")} as spells_handle
from spelled
"""


def _fold(connection: duckdb.DuckDBPyConnection) -> None:
    union = " union ".join(
        f"select {name} as given from identity_given where not {_is_ascii(f'plain_{name}')}"
        for name in _NAMES
    )
    values = [row[0] for row in connection.execute(f"select given from ({union})").fetchall()]
    _keep(connection, "folded", "folded", values, ascii_folded)


def _read_emails(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(
        "select distinct email from identity_given "
        "where email is not null and not regexp_matches(lower(email), $1)",
        [CLEAN_EMAIL],
    ).fetchall()
    _keep(connection, "emails", "email", [row[0] for row in rows], email_or_none)


def _keep(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    column: str,
    values: list[str],
    read: Callable[[str], str | None],
) -> None:
    """Make identity_<name>(given, <column>) from what a library reads of distinct values."""
    identity_told = pa.table(  # noqa: F841 - DuckDB reads it by its name
        {
            "given": pa.array(values, pa.string()),
            column: pa.array(map(read, values), pa.string()),
        }
    )
    connection.execute(
        f"create or replace temporary table identity_{name} as select * from identity_told"
    )


_PHONES = f"""
create or replace temporary table identity_phones as
with numbers as (
    select distinct phone as given, country from identity_given where phone is not null
),
regioned as (
    select numbers.*, r.calling_code, r.trunk, coalesce(r.region, $region) as region,
        case when regexp_full_match(given, '{CLEAN_PHONE}')
            then regexp_replace(replace(given, '(0)', ''), '[^0-9+]', '', 'g') end as digits
    from numbers
    left join identity_regions as r on r.region = coalesce(upper(numbers.country), $region)
),
international as (
    select *, case
        when digits like '+%' then digits
        when digits like '00%' then '+' || substr(digits, 3)
        when calling_code = '1' and length(digits) = 10 then '+1' || digits
        when calling_code = '1' and length(digits) = 11 and digits like '1%' then '+' || digits
        when calling_code = '1' then null
        when calling_code is not null and trunk <> '' and starts_with(digits, trunk)
            then '+' || calling_code || substr(digits, length(trunk) + 1)
        when calling_code is not null and digits <> '' and trunk = ''
            then '+' || calling_code || digits
    end as number
    from regioned
)
select given, country, region, case
    when regexp_full_match(number, '[+][1-9][0-9]{{{_DIGITS[0] - 1},{_DIGITS[1] - 1}}}')
        then number
end as phone
from international
"""


def _read_phones(connection: duckdb.DuckDBPyConnection, region: str | None) -> None:
    """Make identity_phones(given, country, phone)."""
    identity_told = _regions()  # noqa: F841 - DuckDB reads it by its name
    connection.execute(
        "create or replace temporary table identity_regions as select * from identity_told"
    )
    connection.execute(_PHONES, {"region": region and region.upper()})
    rest = connection.execute(
        "select given, country, region from identity_phones where phone is null"
    ).fetchall()
    read = pa.table(  # noqa: F841 - DuckDB reads it by its name
        {
            "given": pa.array([row[0] for row in rest], pa.string()),
            "country": pa.array([row[1] for row in rest], pa.string()),
            "phone": pa.array([_phone_or_digits(row[0], row[2]) for row in rest], pa.string()),
        }
    )
    connection.execute(
        "update identity_phones as p set phone = read.phone from read "
        "where read.given = p.given and read.country is not distinct from p.country"
    )


def _phone_or_digits(number: str, region: str | None) -> str | None:
    """As phone_or_none; of a national number whose country nobody knows, its digits."""
    known = region if region in phonenumbers.SUPPORTED_REGIONS else None
    found = phone_or_none(number, known)
    if found or known:
        return found
    digits = "".join(filter(str.isdigit, number))
    return digits if _DIGITS[0] <= len(digits) <= _DIGITS[1] else None


def _regions() -> pa.Table:
    """Calling code and trunk prefix ('' for none) of each region of the library."""
    rows = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        known = phonenumbers.PhoneMetadata.metadata_for_region(region)
        if known is not None:
            rows.append((region, str(known.country_code), known.national_prefix or ""))
    return pa.table(
        {
            name: pa.array([row[i] for row in rows], pa.string())
            for i, name in enumerate(("region", "calling_code", "trunk"))
        }
    )
