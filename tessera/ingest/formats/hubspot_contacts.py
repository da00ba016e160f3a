"""HubSpot's contacts, under the names of the export, of the API or of Fivetran's tables."""

from __future__ import annotations

from tessera.ingest.expressions import first
from tessera.ingest.format import Format, Refusal, Rows


def names(label: str, *properties: str) -> tuple[str, ...]:
    """The label that an export shows, the property's internal names, and Fivetran's."""
    return (label, *properties, *(f"property_{name}" for name in properties))


# `Email` and `email` are one name: letter case does not matter.
PROPERTIES = {
    "customer_id": ("Record ID", "Contact ID", "hs_object_id", "id", "vid"),
    "email": ("Email", "property_email"),
    "phone": (
        *names("Phone Number", "phone"),
        *names("Mobile Phone Number", "mobilephone"),
    ),
    "first_name": names("First Name", "firstname"),
    "last_name": names("Last Name", "lastname"),
    "birth_date": names("Date of birth", "date_of_birth"),
    "gender": ("Gender", "property_gender"),
    "street": names("Street Address", "address"),
    "city": ("City", "property_city"),
    "region": names("State/Region", "state"),
    "postal_code": names("Postal Code", "zip"),
    "country": names("Country/Region", "country"),
    "handle": names("Twitter Username", "twitterhandle"),
    "created_at": names("Create Date", "createdate"),
    "updated_at": names("Last Modified Date", "lastmodifieddate", "hs_lastmodifieddate"),
}

FORMAT = Format(
    name="hubspot_contacts",
    title="HubSpot contacts (CSV)",
    description="""\
The contacts export of HubSpot: Contacts, Export, all properties. Each line becomes a contact. Users
choose which properties an export has, under their labels or their internal names, so columns are
found by name, whichever of the two it is, in any order; the names that Fivetran gives them are
understood too. Only the id is needed.

Times have no zone in a HubSpot export: they are in the account's, which the source's `timezone`
says. Contacts that Fivetran marks as deleted are refused. Every other property is kept with the
row. Marketing subscriptions give no consent, as the export does not say since when.""",
    reads="csv",
    columns=(*(name for aliases in PROPERTIES.values() for name in aliases), "_fivetran_deleted"),
    refuse=(Refusal("lower(_fivetran_deleted) = 'true'", "deleted in HubSpot"),),
    kinds={
        "contacts": Rows(
            columns={column: first(*aliases) for column, aliases in PROPERTIES.items()},
        )
    },
    example="""\
[sources.hubspot]
format = "hubspot_contacts"
files = "crm/hubspot*.csv"
timezone = "Europe/Berlin"
""",
)
