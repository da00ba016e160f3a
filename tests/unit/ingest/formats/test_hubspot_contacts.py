from __future__ import annotations

import csv

from tests.conftest import shared
from tests.unit.ingest.exports import Inbox

SAMPLES = "formats/hubspot-contacts-csv"


def sample(name: str) -> bytes:
    return (shared(SAMPLES) / name).read_bytes()


def test_an_export_with_few_columns(inbox: Inbox) -> None:
    inbox.put("contacts.csv", sample("contacts_fixture_a.csv").replace(b"\n", b"\r\n"))
    inbox.load("hubspot_contacts")
    assert inbox.rows("contacts") == [
        {"customer_id": "8001", "email": "priya@bluebay.example.test", "first_name": "Priya",
         "last_name": "Example"},
        {"customer_id": "8002", "email": "ben@harbour.example.test", "first_name": "Ben",
         "last_name": "Example"},
        {"customer_id": "8003", "phone": "+44 20 0000 0000", "first_name": "Grace",
         "last_name": "Example"},
        {"customer_id": "8004", "first_name": "Nobody", "last_name": "Reachable"},
    ]  # fmt: skip
    assert inbox.extra("contacts")[0] == {
        "Job Title": "Head of Product", "Associated Company IDs": "9001",
    }  # fmt: skip


def test_a_row_that_is_a_field_short_is_malformed(inbox: Inbox) -> None:
    inbox.put("contacts.csv", sample("contacts_fixture_b.csv"))
    inbox.load("hubspot_contacts")
    assert inbox.rows("contacts") == []
    ((_, line, reason),) = inbox.quarantined()
    assert (line, reason[:13]) == (2, "malformed row")


def test_its_whole_row_is_a_contact(inbox: Inbox) -> None:
    inbox.put("contacts.csv", sample("contacts_fixture_b.csv").rstrip() + b",\n")
    inbox.load("hubspot_contacts", timezone="UTC")
    assert inbox.rows("contacts") == [
        {"customer_id": "1", "email": "john@example.com", "phone": "+61412345678",
         "first_name": "John", "last_name": "Doe", "created_at": "2024-01-01",
         "updated_at": "2024-01-02"},
    ]  # fmt: skip
    assert inbox.extra("contacts")[0]["Lifecycle Stage"] == "Lead"


def test_internal_names_and_the_times_of_the_account(inbox: Inbox) -> None:
    inbox.put(
        "contacts.csv",
        "email,HS_OBJECT_ID,firstname,lastname,phone,mobilephone,date_of_birth,gender,address,city,"
        "state,zip,country,twitterhandle,createdate,lastmodifieddate,hs_email_optout\n"
        "a@example.com,7,Ada,Example,, +49 30 1,1990-12-31,female,1 Lane,Berlin,BE,10115,Germany,"
        "ada,2024-07-01 09:30,2024-12-01 09:30,true\n",
    )
    inbox.load("hubspot_contacts")
    assert inbox.rows("contacts") == [
        {"customer_id": "7", "email": "a@example.com", "phone": "+49 30 1", "first_name": "Ada",
         "last_name": "Example", "birth_date": "1990-12-31", "gender": "female",
         "street": "1 Lane", "city": "Berlin", "region": "BE", "postal_code": "10115",
         "country": "Germany", "handle": "ada", "created_at": "2024-07-01 07:30:00",
         "updated_at": "2024-12-01 08:30:00"},
    ]  # fmt: skip
    assert inbox.extra("contacts") == [{"hs_email_optout": "true"}]


def test_labels_of_every_property(inbox: Inbox) -> None:
    inbox.put(
        "contacts.csv",
        "Contact ID,Last Modified Date,Create Date,Twitter Username,Country/Region,Postal Code,"
        "State/Region,City,Street Address,Gender,Date of birth,Phone Number,Mobile Phone Number,"
        "Last Name,First Name,Email\n"
        "7,2024-12-01 09:30,2024-07-01 09:30,ada,Germany,10115,BE,Berlin,1 Lane,female,1990-12-31,"
        "+49 30 2,+49 30 1,Example,Ada,a@example.com\n",
    )
    inbox.load("hubspot_contacts", timezone="UTC")
    assert inbox.rows("contacts") == [
        {"customer_id": "7", "email": "a@example.com", "phone": "+49 30 2", "first_name": "Ada",
         "last_name": "Example", "birth_date": "1990-12-31", "gender": "female",
         "street": "1 Lane", "city": "Berlin", "region": "BE", "postal_code": "10115",
         "country": "Germany", "handle": "ada", "created_at": "2024-07-01 09:30",
         "updated_at": "2024-12-01 09:30"},
    ]  # fmt: skip


def test_the_names_that_fivetran_gives(inbox: Inbox) -> None:
    file = shared("formats/hubspot-fivetran") / "contact_data.csv"
    inbox.put("contacts.csv", file.read_bytes())
    inbox.load("hubspot_contacts", timezone="UTC")
    with file.open(newline="") as stream:
        written = list(csv.DictReader(stream))
    names = {
        "customer_id": "id", "email": "property_email", "first_name": "property_firstname",
        "last_name": "property_lastname", "created_at": "property_createdate",
    }  # fmt: skip
    expected = [{name: row[column] for name, column in names.items()} for row in written]
    assert len(expected) == 22
    assert inbox.rows("contacts") == [{k: v for k, v in row.items() if v} for row in expected]


def test_what_fivetran_marks_as_deleted_is_refused(inbox: Inbox) -> None:
    inbox.put(
        "contacts.csv",
        "_fivetran_deleted,id,property_email\nTRUE,1,a@example.com\nFALSE,2,b@example.com\n",
    )
    inbox.load("hubspot_contacts")
    assert inbox.rows("contacts") == [{"customer_id": "2", "email": "b@example.com"}]
    assert inbox.quarantined() == [("contacts.csv", 2, "deleted in HubSpot")]


def test_bad_values_are_told(inbox: Inbox) -> None:
    inbox.put(
        "contacts.csv",
        "Record ID,Email,Create Date,Date of birth\n"
        ",a@example.com,2024-01-01 00:00,\n"
        "2,b@example.com,last year,\n"
        "3,c@example.com,,31/12/1990\n"
        "4,d@example.com,,\n",
    )
    inbox.load("hubspot_contacts", timezone="UTC")
    assert inbox.quarantined() == [
        ("contacts.csv", 2, "customer_id is missing"),
        ("contacts.csv", 3, "created_at is not a timestamp"),
        ("contacts.csv", 4, "birth_date is not a date"),
    ]
    assert inbox.rows("contacts") == [{"customer_id": "4", "email": "d@example.com"}]
