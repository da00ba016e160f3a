"""The people of the demo company are found again, by what is known of whose account is whose."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tessera.demo import company
from tessera.identity.resolve import resolve
from tests.unit.identity.test_resolve import accuracy, contacts

CONTACTS = """
select contact_id as account, first_name, last_name, birth_date::varchar as birth_date, email,
    phone, street, postal_code, city, country, social_handle as handle, created_at,
    person_id as person
from '{out}/crm/contacts-*.parquet' as c
join '{truth}/customers.parquet' as t on t.customer_id = c.contact_id
qualify row_number() over (partition by contact_id order by c.updated_at desc) = 1
"""
DEVICES = """
create temp table devices as
with logins as (
    select distinct "anonymousId" as device, "userId" as account
    from '{out}/web/events-*.parquet' where "userId" is not null
)
select l.account as account_l, r.account as account_r, 'device' as rule
from logins as l join logins as r on l.device = r.device and l.account < r.account
"""


@pytest.mark.long
def test_people_of_the_demo(tmp_path: Path) -> None:
    paths = {"out": tmp_path / "in", "truth": tmp_path / "truth"}
    with duckdb.connect(config={"threads": 2}) as connection:
        company.write(connection, **paths, customers=2500, days=60, seed=7, file_format="parquet")
        contacts(connection, CONTACTS.format(**paths))
        connection.execute(DEVICES.format(**paths))
        resolve(connection, "contacts", "devices")
        precision, recall, f1 = accuracy(connection)
    print(f"demo: precision {precision:.4f}, recall {recall:.4f}, F1 {f1:.4f}")
    assert precision >= 0.99 and recall >= 0.97
