from __future__ import annotations


def test_nobody_is_contacted_without_consent(typed):
    """The last decision before each send must have granted the channel."""
    wrong = typed.value("""
        SELECT count(*) FROM campaign_events e
        ASOF LEFT JOIN consents c
          ON c.contact_id = e.customer_id AND c.purpose = e.channel
          AND c.changed_at <= e.occurred_at
        WHERE e.event = 'sent' AND c.granted IS DISTINCT FROM true
    """)
    assert wrong == 0


def test_stages_follow_one_another(typed):
    for stage, before in (("opened", "sent"), ("clicked", "opened"), ("converted", "clicked")):
        wrong = typed.value(f"""
            SELECT count(*) FROM campaign_events a ANTI JOIN campaign_events b
            ON a.campaign_id = b.campaign_id AND a.customer_id = b.customer_id
            AND b.event = '{before}' AND b.occurred_at <= a.occurred_at WHERE a.event = '{stage}'
        """)
        assert wrong == 0
        assert typed.value(f"SELECT count(*) FROM campaign_events WHERE event = '{stage}'") > 0


def test_conversions_are_orders(typed):
    wrong = typed.value("""
        SELECT count(*) FROM campaign_events e ANTI JOIN orders o
        ON o.customer_id = e.customer_id AND o.created_at = e.occurred_at
        WHERE e.event = 'converted'
    """)
    assert wrong == 0


def test_answers_and_scores_are_in_range(typed):
    assert typed.sql("SELECT min(nps) >= 0, max(nps) <= 10 FROM survey_answers") == [(True, True)]
    scores = "SELECT min(satisfaction) >= 1, max(satisfaction) <= 5 FROM tickets"
    assert typed.sql(scores) == [(True, True)]
    assert typed.value("SELECT count(*) FROM tickets WHERE closed_at <= opened_at") == 0
