"""What a fetch that cannot go on raises."""

from __future__ import annotations


class FetchFailed(RuntimeError):
    """An export could not be fetched, or not wholly; the message says what, where and what to do.

    What was fetched before it stands in the inbox, and the next run goes on from there. The message
    holds no secret.
    """


def need(library: str, extra: str) -> FetchFailed:
    """The failure for a library that is not installed: it comes with an extra of the package."""
    return FetchFailed(
        f"{library} is not installed: pip install 'tessera[{extra}]', or make the environment "
        "anew from requirements.lock"
    )
