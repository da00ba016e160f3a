"""Salesforce's contacts, under the names of its API or of Fivetran's tables."""

from __future__ import annotations

import re

from tessera.ingest.expressions import first, to_utc
from tessera.ingest.format import Format, Refusal, Rows

FIELDS = {
    "customer_id": ("Id",),
    "email": ("Email",),
    "phone": ("Phone", "MobilePhone", "HomePhone"),
    "first_name": ("FirstName",),
    "last_name": ("LastName",),
    "birth_date": ("Birthdate",),
    "gender": ("GenderIdentity",),
    "street": ("MailingStreet",),
    "city": ("MailingCity",),
    "region": ("MailingStateCode", "MailingState"),
    "postal_code": ("MailingPostalCode",),
    "country": ("MailingCountryCode", "MailingCountry"),
    "created_at": ("CreatedDate",),
    "updated_at": ("LastModifiedDate",),
}


def names(*fields: str) -> tuple[str, ...]:
    """The names of fields in Salesforce, then those that Fivetran gives them.

    >>> names("Id", "LastName")
    ('Id', 'LastName', 'last_name')
    """
    snake = (re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field).lower() for field in fields)
    return (*fields, *(name for name in snake if "_" in name))


DELETED = first(*names("IsDeleted"))

FORMAT = Format(
    name="salesforce_contacts",
    title="Salesforce contacts (CSV)",
    description="""\
Contacts as the Data Loader (Export or Export All on the object Contact), the Data Export service or
a SOQL query writes them: a header with the fields' API names, in any order and letter case. The
names that Fivetran gives them are understood too. Each line becomes a contact; only Id is needed.

Contacts in the recycle bin (IsDeleted) are refused. Times with an offset become UTC; times without
one are taken to be in the source's `timezone`. All other fields, your own (`…__c`) among them, are
kept with the row.""",
    reads="csv",
    columns=names(*(field for fields in FIELDS.values() for field in fields), "IsDeleted"),
    required=("Id",),
    refuse=(Refusal(f"lower({DELETED}) in ('true', '1')", "deleted in Salesforce"),),
    kinds={
        "contacts": Rows(
            columns={
                column: to_utc(first(*names(*fields)))
                if column in ("created_at", "updated_at")
                else first(*names(*fields))
                for column, fields in FIELDS.items()
            },
        )
    },
    example="""\
[sources.salesforce]
format = "salesforce_contacts"
files = "crm/Contact*.csv"
""",
)
