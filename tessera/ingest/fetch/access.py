"""How a request shows who asks: added when it is sent, so that no saved request holds it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from tessera.ingest.fetch.secret import REFERENCE, Secrets
from tessera.ingest.fetch.settings import Fetch


def secret_params(fetch: Fetch) -> dict[str, str]:
    """The parameters of the settings that name a secret."""
    return {key: str(value) for key, value in fetch.params.items() if REFERENCE.search(str(value))}


class Access(AuthBase):
    """A bearer token, user and password, or secret parameters, as the settings say."""

    def __init__(self, fetch: Fetch, secrets: Secrets) -> None:
        self._token = secrets.resolve(fetch.token)
        self._user = secrets.resolve(fetch.user)
        self._password = secrets.resolve(fetch.password)
        self._params = secrets.resolve_all(secret_params(fetch))

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add what the server asks for."""
        if self._params and request.url:
            parts = urlsplit(request.url)
            # A link to the next page may hold the parameter already.
            others = [
                (key, value)
                for key, value in parse_qsl(parts.query, keep_blank_values=True)
                if key not in self._params
            ]
            query = urlencode([*others, *self._params.items()])
            request.url = urlunsplit(parts._replace(query=query))
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        elif self._user or self._password:
            HTTPBasicAuth(self._user, self._password)(request)
        return request
