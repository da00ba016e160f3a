"""Where the next page of an API is: dlt's paginators, as the settings name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tessera.ingest.fetch.settings import Fetch

if TYPE_CHECKING:
    from dlt.sources.helpers.rest_client.paginators import BasePaginator


def paginator(fetch: Fetch, params: dict[str, Any]) -> BasePaginator:
    """The paginator of the settings; a counting one goes on from where `params` stands."""
    from dlt.sources.helpers.rest_client import paginators

    counts = fetch.paging in ("offset", "page")
    at = int(params.get(fetch.next_param, fetch.first)) if counts else 0
    has_more = fetch.has_more or None
    match fetch.paging:
        case "cursor":
            return paginators.JSONResponseCursorPaginator(
                cursor_path=fetch.next, cursor_param=fetch.next_param, has_more_path=has_more
            )
        case "link":
            return paginators.JSONLinkPaginator(next_url_path=fetch.next)
        case "link_header":
            return paginators.HeaderLinkPaginator()
        case "offset":
            return paginators.OffsetPaginator(
                limit=fetch.limit,
                limit_param=fetch.limit_param,
                offset=at,
                offset_param=fetch.next_param,
                total_path=None,
                has_more_path=has_more,
            )
        case "page":
            return paginators.PageNumberPaginator(
                page=at, page_param=fetch.next_param, total_path=None, has_more_path=has_more
            )
    return paginators.SinglePagePaginator()
