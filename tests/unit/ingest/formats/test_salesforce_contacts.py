from __future__ import annotations

import pytest

from tests.conftest import shared
from tests.unit.ingest.exports import Inbox

FIELDS = {
    "Id": "0031", "IsDeleted": "false", "LastName": "Example", "FirstName": "Ada",
    "MailingStreet": "1 Lane\nRear house", "MailingCity": "Berlin", "MailingState": "Berlin",
    "MailingPostalCode": "10115", "MailingCountry": "Germany", "MailingStateCode": "BE",
    "MailingCountryCode": "DE", "Phone": "+49 30 1", "MobilePhone": "+49 170 1",
    "Email": "ada@example.com", "Birthdate": "1990-12-31", "Department": "Ops",
    "CreatedDate": "2020-01-05T11:00:00.000+0100", "LastModifiedDate": "2020-02-05T10:00:00.000Z",
}  # fmt: skip
CONTACT = {
    "customer_id": "0031", "email": "ada@example.com", "phone": "+49 30 1", "first_name": "Ada",
    "last_name": "Example", "birth_date": "1990-12-31", "street": "1 Lane\nRear house",
    "city": "Berlin", "region": "BE", "postal_code": "10115", "country": "DE",
    "created_at": "2020-01-05T10:00:00Z", "updated_at": "2020-02-05T10:00:00Z",
}  # fmt: skip


def export(*contacts: dict[str, str], header: list[str]) -> str:
    """As the Data Loader writes: every field in quotes."""
    rows = [header, *([contact.get(name, "") for name in header] for contact in contacts)]
    return "".join(",".join(f'"{value}"' for value in row) + "\n" for row in rows)


def real_header() -> list[str]:
    text = (shared("formats/salesforce-contact-fields") / "contact_field_names.csv").read_text()
    return [*text.strip().split(","), "Birthdate"]


@pytest.mark.parametrize("change", [list, sorted, lambda header: [n.upper() for n in header]])
def test_the_real_fields(inbox: Inbox, change: object) -> None:
    header = change(real_header())  # type: ignore[operator]
    cased = {name.upper(): value for name, value in FIELDS.items()}
    told = {name: cased.get(name.upper(), "") for name in header}
    inbox.put("Contact.csv", export(told, header=header))
    inbox.load("salesforce_contacts")
    assert inbox.rows("contacts") == [CONTACT]
    extra = {name.lower(): value for name, value in inbox.extra("contacts")[0].items() if value}
    assert extra == {"department": "Ops"}


def test_deleted_contacts_are_refused(inbox: Inbox) -> None:
    contacts = [{**FIELDS, "Id": str(n), "IsDeleted": told} for n, told in enumerate(
        ["true", "TRUE", "1", "false", "FALSE", "0", ""]
    )]  # fmt: skip
    inbox.put("Contact.csv", export(*contacts, header=list(FIELDS)))
    inbox.load("salesforce_contacts")
    assert [row["customer_id"] for row in inbox.rows("contacts")] == ["3", "4", "5", "6"]
    assert [reason for _, _, reason in inbox.quarantined()] == ["deleted in Salesforce"] * 3


def test_few_fields_and_local_times(inbox: Inbox) -> None:
    inbox.put(
        "Contact.csv",
        "Id,HomePhone,MobilePhone,CreatedDate,Shoe_Size__c\n"
        "1,+49 30 3,,2020-07-05 10:00:00,41\n2,+49 30 3,+49 170 1,,\n",
    )
    inbox.load("salesforce_contacts", timezone="Europe/Berlin")
    assert inbox.rows("contacts") == [
        {"customer_id": "1", "phone": "+49 30 3", "created_at": "2020-07-05 08:00:00"},
        {"customer_id": "2", "phone": "+49 170 1"},
    ]
    assert inbox.extra("contacts")[0] == {"Shoe_Size__c": "41"}


def test_the_names_that_fivetran_gives(inbox: Inbox) -> None:
    file = shared("formats/salesforce-fivetran") / "sf_contact_data.csv"
    inbox.put("contact.csv", file.read_bytes())
    inbox.load("salesforce_contacts")
    times = {"created_at": "2019-11-11 17:23:34", "updated_at": "2019-11-11 17:23:34"}
    named = {"first_name": "x", "last_name": "G", "country": "US", **times}
    contacts = inbox.rows("contacts")
    assert contacts[:3] == [
        {"customer_id": "0033700000JmrFPAA", **times},
        {"customer_id": "0031G00000q9jPQAQ", "phone": "(555) 555-5555", **named},
        {"customer_id": "0031G00000rfAvuQAE", **named},
    ]
    assert contacts[3].items() >= {"street": "123 Ave", "city": "Chicago", "region": "IL"}.items()


def test_every_name_that_fivetran_gives(inbox: Inbox) -> None:
    inbox.put(
        "contact.csv",
        "id,is_deleted,last_name,first_name,mailing_street,mailing_city,mailing_state_code,"
        "mailing_postal_code,mailing_country_code,mobile_phone,email,birthdate,created_date,"
        "last_modified_date\n"
        'x,TRUE,,,,,,,,,,,,\n0031,FALSE,Example,Ada,"1 Lane\nRear house",Berlin,BE,10115,DE,'
        "+49 30 1,ada@example.com,1990-12-31,2020-01-05 10:00:00Z,2020-02-05 10:00:00Z\n",
    )
    inbox.load("salesforce_contacts")
    assert inbox.rows("contacts") == [CONTACT]
    assert inbox.quarantined() == [("contact.csv", 2, "deleted in Salesforce")]


def test_bad_values_are_told(inbox: Inbox) -> None:
    contacts = [
        {**FIELDS, "Id": ""},
        {**FIELDS, "CreatedDate": "2020-13-05T10:00:00.000Z"},
        {**FIELDS, "Birthdate": "a while ago"},
    ]
    inbox.put("Contact.csv", export(*contacts, header=list(FIELDS)))
    inbox.load("salesforce_contacts")
    assert [reason for _, _, reason in inbox.quarantined()] == [
        "customer_id is missing", "created_at is not a timestamp", "birth_date is not a date",
    ]  # fmt: skip


def test_an_export_of_accounts_is_refused(inbox: Inbox) -> None:
    file = shared("formats/salesforce-dataloader") / "insertAccountCsv.csv"
    inbox.put("Contact.csv", file.read_bytes())
    inbox.load("salesforce_contacts")
    assert "required columns missing: Id" in inbox.refused()["Contact.csv"]
