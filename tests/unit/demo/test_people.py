from __future__ import annotations

import duckdb
import numpy as np
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.demo import contacts, names, people
from tessera.demo.season import Window
from tessera.demo.streams import Streams


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 3000), seed=st.integers(0, 10**6), days=st.integers(7, 900))
def test_accounts_people_and_addresses(count, seed, days):
    window = Window(days)
    here = people.draw(Streams(seed), window, count)
    assert len(here) == count
    assert (~here.is_first).mean() <= 0.03
    assert here.is_first[here.person].all()  # owners own their first account
    assert (here.persona == here.persona[here.person]).all()
    assert (here.created_at < window.stop).all()
    for addresses in (people.emails(here), people.handles(here)):
        assert pc.count_distinct(addresses).as_py() == count


def test_chunks_join_into_one_population():
    parts = [people.draw(Streams(1, chunk), Window(100), 200) for chunk in range(3)]
    whole = people.concat(parts)
    assert len(whole) == 600
    assert whole.is_first[whole.person].all()
    assert (whole.slice(200, 400).person == parts[1].person).all()


def test_domains_are_reserved_and_spelling_is_ascii():
    assert all(domain.endswith(".example") for domain in names.MAIL_DOMAINS)
    spelled = [names.ascii_form(name) for name in names.FIRST_NAMES + names.LAST_NAMES]
    assert all(word.isascii() and word.isalpha() and word.islower() for word in spelled)


def test_a_second_account_is_of_the_same_person():
    window = Window(100)
    here = people.draw(Streams(3), window, 20_000)
    drawn = contacts.simulate(np.random.default_rng(3), window, here, 0)
    second = np.flatnonzero(~here.is_first)
    owner = here.person[second]
    for name, slipped in (("born", 0.04), ("phone", 0.19), ("house", 0.19), ("street", 0.15)):
        told = (drawn[name][second] >= 0) & (drawn[name][owner] >= 0)
        same = (drawn[name][second] == drawn[name][owner])[told].mean()
        assert abs(same - (1 - slipped)) < 0.08, name
    both = (drawn["gender"][second] >= 0) & (drawn["gender"][owner] >= 0)
    assert (drawn["gender"][second] == drawn["gender"][owner])[both].all()


def test_a_provider_knows_some_by_the_hash_of_their_address(text):
    connection = duckdb.connect()
    for name, file in {"known": "provider/demographics", "told": "crm/contacts-*"}.items():
        connection.execute(
            f"create view {name} as from read_csv('{text.out}/{file}.csv', all_varchar = true, "
            "ignore_errors = true)"
        )
    columns = ("age_band", "income_band", "household_size", "education", "occupation", "home")
    shares = ", ".join(f"count({name}) / count(*)" for name in columns)
    count, *told = connection.sql(f"select count(*), {shares} from known").fetchall()[0]
    assert count == 480 and all(0.8 < share < 0.95 for share in told)
    hashes = "select sha256(lower(trim(email))) from told"
    matched = connection.sql(f"select count(*) from known where email_sha256 in ({hashes})")
    assert matched.fetchall()[0][0] > 0.9 * count
