r"""A web server's access log: the common and the combined log format of Apache and nginx."""

from __future__ import annotations

from tessera.ingest.format import Format, Rows
from tessera.ingest.web import known, parameter_of, path_of

QUOTED = r'"(?P<{0}>(?:[^"\\]|\\.)*)"'
PATTERN = (
    # The server's name and port, where a log of several servers has them.
    r"^(?:[^\s:]+:\d+ )?"
    r'(?P<ip>\S+) \S+ (?P<remote_user>[^\["]+?) \[(?P<time>[^\]]+)\] '
    + QUOTED.format("request")
    + r" (?P<status>\d{3}) (?:\d+|-)"
    + r"(?: "
    + QUOTED.format("referrer")
    + " "
    + QUOTED.format("user_agent")
    + r")?"
    # Further fields: closed quotes and plain words, so that a line that was cut and glued to the
    # next one does not pass for one request.
    + r"""(?:\s+(?:"(?:[^"\\]|\\.)*"|[^\s"\[][^\s"]*))*\s*$"""
)
ASSETS = (
    "7z|avi|avif|bmp|bz2|css|csv|cur|dmg|doc|docx|eot|epub|exe|gif|gz|ico|iso|jpe?g|js|json|jsonld"
    "|m4a|m4v|map|mjs|mkv|mov|mp3|mp4|mpe?g|ogg|otf|pdf|png|ppt|pptx|rar|rss|atom|svg|tar|tiff?|ttf"
    "|txt|wasm|wav|webm|webmanifest|webp|wmv|woff2?|xls|xlsx|xml|zip"
)


def _plain(text: str) -> str:
    r"""A quoted field without its escapes: Apache writes \", nginx \x22."""
    return rf"""replace(replace(replace({text}, '\"', '"'), '\x22', '"'), '\\', '\')"""


METHOD = r"regexp_extract(request, '^([A-Z]+) ', 1)"
# A target may hold blanks that a client forgot to encode.
TARGET = r"nullif(regexp_extract(request, '^[A-Z]+ (\S.*?)(?: HTTP/\S+)?$', 1), '')"
PATH = path_of("target")
IS_PAGE = f"""method = 'GET' and (status like '2%' or status = '304') and status <> '206'
    and not coalesce(regexp_matches(lower({PATH}), '\\.({ASSETS})$'), false)"""
MOMENT = "try_strptime(time, '%d/%b/%Y:%H:%M:%S %z')"

FORMAT = Format(
    name="access_log",
    title="Web server access log (Apache, nginx)",
    description="""\
The combined log format that Apache and nginx write by default; the common log format, a server name
with its port in front, and further fields at the end are read as well. Lines of any other form go
to quarantine.

A page view (`event_type` `page`) is a GET that was answered with 2xx or 304 and is not for a
script, a style, an image or another asset, by the end of its path. A redirect is none, as the page
that it leads to has its own line. Every other request has the `event_type` `request`, so nothing is
lost. `event_name` is the method and the status: `GET 404`. The name with which somebody logged in
to the server itself becomes `customer_id`.

A log knows no visitors: staging tells them apart by address and user agent. Its lines have no id
either. Two requests that look alike are two requests, so only whole files are told apart.""",
    reads="lines",
    pattern=PATTERN,
    prepare=f"""
        select *, {METHOD} as method, {TARGET} as target from {{records}}
    """,
    kinds={
        "web_events": Rows(
            columns={
                "event_type": f"case when {IS_PAGE} then 'page' else 'request' end",
                "event_name": "trim(method || ' ' || status)",
                "customer_id": known("remote_user"),
                "occurred_at": f"coalesce(timezone('UTC', {MOMENT})::varchar || 'Z', time)",
                "path": PATH,
                "referrer": known(_plain("referrer")),
                "ip": known("ip"),
                "user_agent": known(_plain("user_agent")),
                "utm_source": parameter_of("target", "utm_source"),
                "utm_medium": parameter_of("target", "utm_medium"),
                "utm_campaign": parameter_of("target", "utm_campaign"),
            }
        )
    },
    example="""\
[sources.access_log]
format = "access_log"
files = "web/access.log*"
""",
)
