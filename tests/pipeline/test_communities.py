"""The communities that the demo company plants, found again from its exports alone."""

from __future__ import annotations

from pathlib import Path

from sklearn.metrics import normalized_mutual_info_score

from tests.pipeline.conftest import Finished

# Who is in which community by the truth, and where the network has her.
FOUND = """
select distinct nodes.node, nodes.community_id, truth.community
from enriched.network_nodes as nodes
inner join enriched.identities as accounts
    on nodes.as_of = accounts.as_of and nodes.customer_id = accounts.customer_id
    and accounts.kind = 'account'
inner join staging.stg_vault__identifiers as vault
    on accounts.key = vault.pseudonym and vault.kind = 'customer' and vault.field = 'customer_id'
inner join '{truth}/customers.parquet' as truth on vault.value = truth.customer_id
where truth.community is not null
    and nodes.as_of = (select max(as_of) from enriched.networks)
"""


def test_planted_communities_are_found(demo_run: Finished, small_demo: Path) -> None:
    rows = demo_run.query(FOUND.format(truth=small_demo.parent / "truth"))
    nodes, found, planted = (list(column) for column in zip(*rows, strict=True))
    assert len(set(nodes)) == len(nodes) > 100, "each in one planted community"
    nmi = normalized_mutual_info_score(planted, [str(community) for community in found])
    print(f"\n{len(nodes)} people, {len(set(planted))} planted, {len(set(found))} found: {nmi:.3f}")
    assert nmi >= 0.9
    public = demo_run.published("select community_id from segments.communities")
    assert set(found) - {None} == {community for (community,) in public}
