from __future__ import annotations

import pytest

from tests.conftest import shared
from tests.unit.ingest.exports import Inbox

TODAY = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,"
    "Default Address Address1,Default Address Address2,Default Address City,"
    "Default Address Province Code,Default Address Country Code,Default Address Zip,"
    "Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,"
    "Tax Exempt,Tags"
)


def test_the_export_of_today(inbox: Inbox) -> None:
    inbox.put(
        "customers.csv",
        f"{TODAY}\n'901,Ada,Example,Ada@Example.com,yes,,1 Fictional Lane,Rear house,Testville,NY,"
        "US,'00123,'+12025550100,,no,20.00,1,,no,vip\n"
        "902,Bo,,,no,,,,,,,,,'+12025550101,no,0.00,0,,no,\n",
    )
    inbox.load("shopify_customers")
    assert inbox.rows("contacts") == [
        {"customer_id": "901", "email": "Ada@Example.com", "phone": "+12025550100",
         "first_name": "Ada", "last_name": "Example", "street": "1 Fictional Lane, Rear house",
         "city": "Testville", "region": "NY", "postal_code": "00123", "country": "US"},
        {"customer_id": "902", "phone": "+12025550101", "first_name": "Bo"},
    ]  # fmt: skip
    assert inbox.extra("contacts")[0] == {
        "Accepts Email Marketing": "yes", "Accepts SMS Marketing": "no", "Total Spent": "20.00",
        "Total Orders": "1", "Tax Exempt": "no", "Tags": "vip",
    }  # fmt: skip


def test_the_older_export_has_no_customer_id(inbox: Inbox) -> None:
    header = (shared("formats/shopify-orders-csv") / "customers_export_header.csv").read_text()
    inbox.put(
        "customers.csv",
        f"{header.strip()}\n"
        "Ada,Example,Ada@Example.com,yes,,1 Fictional Lane,,Testville,New York,NY,United States,US,"
        "'00123,'+12025550100,yes,20.00,1,,,no\n"
        "Cy,Example,,no,,,,Testville,,,,,,'+12025550102,no,0.00,0,,,no\n"
        "Nobody,Reachable,,no,,,,,,,,,,,no,0.00,0,,,no\n",
    )
    inbox.load("shopify_customers")
    assert inbox.rows("contacts") == [
        {"customer_id": "ada@example.com", "email": "Ada@Example.com", "phone": "+12025550100",
         "first_name": "Ada", "last_name": "Example", "street": "1 Fictional Lane",
         "city": "Testville", "region": "NY", "postal_code": "00123", "country": "US"},
        {"customer_id": "+12025550102", "phone": "+12025550102", "first_name": "Cy",
         "last_name": "Example", "city": "Testville"},
    ]  # fmt: skip
    assert inbox.quarantined() == [("customers.csv", 4, "customer_id is missing")]


@pytest.mark.parametrize(
    "text",
    [
        "EMAIL,customer id,new\na@example.com,1,x\n",
        "new,Customer ID,Email,Phone\nx,'1, a@example.com ,\n",
    ],
)
def test_drift_of_the_header(inbox: Inbox, text: str) -> None:
    inbox.put("customers.csv", text)
    inbox.load("shopify_customers")
    assert inbox.rows("contacts") == [{"customer_id": "1", "email": "a@example.com"}]
    assert inbox.extra("contacts") == [{"new": "x"}]


def test_an_orders_export_is_refused(inbox: Inbox) -> None:
    inbox.put("customers.csv", "Name,Total\n#1,2.00\n")
    inbox.load("shopify_customers")
    assert "Email" in inbox.refused()["customers.csv"]
