"""The way back from an identifier to its pseudonym, for those who may read the warehouse."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

BY = ("customer_id", "email", "phone", "handle")

FIND = f"""
select distinct
    vault.pseudonym, coalesce(merged.customer_id, vault.pseudonym), segments.segment_name,
    segments.lifecycle_stage, segments.as_of
from staging.stg_vault__identifiers as vault
left join enriched.identities as merged
    on merged.kind = 'account' and merged.key = vault.pseudonym
left join segments.customer_segments as segments
    on segments.customer_id = coalesce(merged.customer_id, vault.pseudonym)
where vault.kind = 'customer' and vault.field in {BY} and lower(vault.value) = lower(trim($1))
order by all
"""


class NobodyFound(LookupError):
    """The vault does not know the identifier, or nothing has been built yet."""


@dataclass(frozen=True)
class Found:
    """An account, whose it is and where she stands; nothing of her in clear."""

    pseudonym: str
    customer_id: str
    segment_name: str | None
    lifecycle_stage: str | None
    as_of: str | None


def find(connection: duckdb.DuckDBPyConnection, identifier: str) -> list[Found]:
    """The customers with this exported id, e-mail address, telephone number or handle.

    Several when contacts share an address. Raises NobodyFound.
    """
    try:
        rows = connection.execute(FIND, [identifier.removeprefix("@")]).fetchall()
    except duckdb.CatalogException:
        raise NobodyFound("there are no segments yet: run `make run` first") from None
    if not rows:
        raise NobodyFound(
            "nobody in the vault has that id, e-mail address, telephone number or handle. Write "
            "it as the exports do; `tessera doctor` shows which exports were loaded"
        )
    return [
        Found(pseudonym, customer, segment, stage, str(as_of) if as_of else None)
        for pseudonym, customer, segment, stage, as_of in rows
    ]
