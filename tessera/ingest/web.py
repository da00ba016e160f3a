"""SQL expressions that clickstream formats share: paths, campaign parameters, products."""

from __future__ import annotations

from collections.abc import Mapping

from tessera import sql

# What vendors write where they know nothing.
PLACEHOLDERS = ("", "-", "(not set)", "(none)", "(direct)", "(data not available)")


def members(names: str) -> dict[str, str]:
    """Members of a JSON object that are read as text, for a format's structure.

    >>> members("id name")
    {'id': 'VARCHAR', 'name': 'VARCHAR'}
    """
    return dict.fromkeys(names.split(), "VARCHAR")


def known(text: str) -> str:
    """The text, or null when it is a vendor's word for nothing.

    >>> known("source")
    "case when source not in ('', '-', '(not set)', '(none)', '(direct)', '(data not available)') \
then source end"
    """
    words = ", ".join(sql.text(word) for word in PLACEHOLDERS)
    return f"case when {text} not in ({words}) then {text} end"


def path_of(address: str) -> str:
    """The path of an address or of a request target; what is neither stays as it is."""
    return (
        f"case when starts_with({address}, '/') then regexp_extract({address}, '^[^?#]*') "
        rf"when regexp_matches({address}, '^[A-Za-z][A-Za-z0-9+.-]*://') then regexp_replace("
        rf"{address}, '(?s)^[^:]+://[^/?#]*/?([^?#]*).*$', '/\1') "
        f"else {address} end"
    )


def parameter_of(address: str, name: str) -> str:
    """A parameter of an address's query, decoded; null when it is missing or empty."""
    pattern = sql.text(rf"[?&]{name}=([^&#\s]*)")
    text = f"replace(nullif(regexp_extract({address}, {pattern}, 1), ''), '+', ' ')"
    return f"coalesce(try(url_decode({text})), {text})"


def first_of(*texts: str) -> str:
    """The first of the texts that is neither null nor empty."""
    present = (f"nullif({text}, '')" for text in texts)
    return f"coalesce({', '.join(present)}, null)"


def products(items: str, names: Mapping[str, str]) -> str:
    """A list of products as JSON text: each as it was exported, and under our names too.

    `items` is SQL of a JSON[]; `names` maps our member names to the vendor's. Null without items.
    The vendor's own value wins where it already has a member of our name.
    """
    pairs = ", ".join(
        f"{sql.text(ours)}, coalesce((_p->>{sql.text(ours)}), (_p->>{sql.text(theirs)}))"
        for ours, theirs in names.items()
    )
    merged = f"json_merge_patch(_p, json_object({pairs}))"
    whole = f"list_transform({items}, lambda _p: {merged})"
    return f"case when len({items}) > 0 then to_json({whole})::varchar end"


def only_product(items: str, member: str) -> str:
    """A member of the product that an event is about; null when it is about several or none."""
    return f"case when len({items}) = 1 then (({items})[1]->>{sql.text(member)}) end"
