"""WooCommerce's customers, as its REST API gives them."""

from __future__ import annotations

from tessera.ingest.expressions import first, in_utc
from tessera.ingest.format import Format, Rows

STREET = "concat_ws(', ', nullif(billing.address_1, ''), nullif(billing.address_2, ''))"

FORMAT = Format(
    name="woocommerce_customers",
    title="WooCommerce customers (JSON)",
    description="""\
Customers as WooCommerce's REST API lists them (GET /wp-json/wc/v3/customers): JSON lines, or whole
pages as arrays, as they came. Each becomes a contact with the address and the telephone number of
its billing address. Guests have no account, so they are not in here; their orders carry their
e-mail address.""",
    reads="json",
    structure={
        "id": "VARCHAR",
        "date_created": "VARCHAR",
        "date_created_gmt": "VARCHAR",
        "date_modified": "VARCHAR",
        "date_modified_gmt": "VARCHAR",
        "email": "VARCHAR",
        "first_name": "VARCHAR",
        "last_name": "VARCHAR",
        "billing": {
            "first_name": "VARCHAR",
            "last_name": "VARCHAR",
            "address_1": "VARCHAR",
            "address_2": "VARCHAR",
            "city": "VARCHAR",
            "state": "VARCHAR",
            "postcode": "VARCHAR",
            "country": "VARCHAR",
            "email": "VARCHAR",
            "phone": "VARCHAR",
        },
    },
    required=("id",),
    kinds={
        "contacts": Rows(
            columns={
                "customer_id": "id",
                "email": "coalesce(nullif(email, ''), nullif(billing.email, ''))",
                "phone": "nullif(billing.phone, '')",
                "first_name": "coalesce(nullif(first_name, ''), nullif(billing.first_name, ''))",
                "last_name": "coalesce(nullif(last_name, ''), nullif(billing.last_name, ''))",
                "street": f"nullif({STREET}, '')",
                "city": "nullif(billing.city, '')",
                "region": "nullif(billing.state, '')",
                "postal_code": "nullif(billing.postcode, '')",
                "country": "nullif(billing.country, '')",
                "created_at": f"coalesce({in_utc(first('date_created_gmt'))}, date_created)",
                "updated_at": f"coalesce({in_utc(first('date_modified_gmt'))}, date_modified)",
            }
        )
    },
    example="""\
[sources.woocommerce_customers]
format = "woocommerce_customers"
files = "woocommerce/customers*.json*"
""",
)
