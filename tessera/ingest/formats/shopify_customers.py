"""Shopify's customers export, with the header of the admin's export and the shorter one of old."""

from __future__ import annotations

from tessera.ingest.expressions import first
from tessera.ingest.format import Format, Rows


def written(*columns: str) -> str:
    """The first of the columns, without the apostrophe that keeps spreadsheets from reckoning."""
    return f"ltrim({first(*columns)}, '''')"


def address(*parts: str) -> tuple[str, ...]:
    """The names of an address's columns: Shopify's of today, then the older ones."""
    return tuple(f"{prefix}{part}" for part in parts for prefix in ("Default Address ", ""))


STREET = f"concat_ws(', ', {first(*address('Address1'))}, {first(*address('Address2'))})"

FORMAT = Format(
    name="shopify_customers",
    title="Shopify customers (CSV)",
    description="""\
The customers export of the Shopify admin: Customers, Export, plain CSV. Each line becomes a
contact. Exports of today have a Customer ID; older ones do not, and Shopify's orders export never
has one: then the e-mail address, else the telephone number, is the customer's id.

Telephone numbers, postal codes and ids lose the apostrophe that Shopify writes before them. The
export does not say when somebody became a customer, nor when they agreed to marketing: whether they
did is kept with the row, but gives no consent.""",
    reads="csv",
    columns=(
        "Customer ID",
        "First Name",
        "Last Name",
        "Email",
        "Phone",
        *address(
            "Address1", "Address2", "City", "Province", "Province Code", "Country", "Country Code"
        ),
        *address("Zip"),
        "Default Address Phone",
    ),
    required=("Email",),
    kinds={
        "contacts": Rows(
            columns={
                "customer_id": f"coalesce({written('Customer ID')}, lower({first('Email')}), "
                f"{written('Phone', 'Default Address Phone')})",
                "email": first("Email"),
                "phone": written("Phone", "Default Address Phone"),
                "first_name": first("First Name"),
                "last_name": first("Last Name"),
                "street": f"nullif({STREET}, '')",
                "city": first(*address("City")),
                "region": first(*address("Province Code", "Province")),
                "postal_code": written(*address("Zip")),
                "country": first(*address("Country Code", "Country")),
            }
        )
    },
    example="""\
[sources.shopify_customers]
format = "shopify_customers"
files = "shopify/customers_export*.csv"
""",
)
