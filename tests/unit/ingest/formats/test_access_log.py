from __future__ import annotations

from typing import Any

COMBINED = (
    '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.html HTTP/1.0" 200 2326 '
    '"http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"\n'
)


def line(
    request: str = "GET / HTTP/1.1", status: int = 200, ip: str = "192.0.2.1", rest: str = ""
) -> str:
    when = "01/Mar/2025:10:00:00 +0000"
    return f'{ip} - - [{when}] "{request}" {status} 12 "-" "Mozilla/5.0"{rest}\n'


def test_a_combined_line_becomes_a_page_view(land: Any, ask: Any) -> None:
    land("access_log", {"access.log": COMBINED})
    row = ask(
        "select event_type, event_name, anonymous_id, customer_id, occurred_at::timestamp::varchar,"
        " path, referrer, ip, user_agent, event_id from raw.web_events"
    )
    assert row == [
        ("page", "GET 200", None, "frank", "2000-10-10 20:55:36", "/apache_pb.html",
         "http://www.example.com/start.html", "127.0.0.1", "Mozilla/4.08 [en] (Win98; I ;Nav)",
         None)
    ]  # fmt: skip


REQUESTS = [
    # request, status, event type, event name, path
    ("GET /shop/?q=a%20b HTTP/1.1", 200, "page", "GET 200", "/shop/"),
    ("GET /shop HTTP/1.1", 304, "page", "GET 304", "/shop"),
    ("GET /v1.2/notes HTTP/2.0", 200, "page", "GET 200", "/v1.2/notes"),
    ("GET http://shop.example/basket?x HTTP/1.1", 200, "page", "GET 200", "/basket"),
    ("GET /old HTTP/1.1", 301, "request", "GET 301", "/old"),
    ("GET /film HTTP/1.1", 206, "request", "GET 206", "/film"),
    ("GET /missing HTTP/1.1", 404, "request", "GET 404", "/missing"),
    ("GET /logo.PNG?v=2 HTTP/1.1", 200, "request", "GET 200", "/logo.PNG"),
    ("GET /app.js HTTP/1.1", 200, "request", "GET 200", "/app.js"),
    ("POST /basket HTTP/1.1", 200, "request", "POST 200", "/basket"),
    ("HEAD / HTTP/1.1", 200, "request", "HEAD 200", "/"),
    ("OPTIONS * HTTP/1.0", 200, "request", "OPTIONS 200", "*"),
    ("GET /a b HTTP/1.1", 200, "page", "GET 200", "/a b"),
    ("GET /", 200, "page", "GET 200", "/"),
    (r"\x16\x03\x01", 400, "request", "400", None),
    ("-", 408, "request", "408", None),
    ("", 400, "request", "400", None),
]


def test_what_counts_as_a_page(land: Any, ask: Any) -> None:
    log = "".join(line(request, status) for request, status, *_ in REQUESTS)
    land("access_log", {"access.log": log})
    assert ask("select event_type, event_name, path from raw.web_events order by _line") == [
        tuple(expected) for _, _, *expected in REQUESTS
    ]


def test_lines_of_other_servers(land: Any, ask: Any) -> None:
    lines = [
        line(ip="2001:db8::7334"),
        line(rest=' "203.0.113.9" 0.004'),
        "shop.example:443 " + line(ip="192.0.2.7"),
        '192.0.2.8 - John Doe [01/Mar/2025:10:00:00 +0530] "GET / HTTP/1.1" 200 -\n',
        line().replace("Mozilla/5.0", r"a \"quoted\" agent \x22too\x22"),
    ]
    land("access_log", {"access.log": "".join(lines)})
    assert ask("select ip, customer_id, user_agent from raw.web_events order by _line") == [
        ("2001:db8::7334", None, "Mozilla/5.0"),
        ("192.0.2.1", None, "Mozilla/5.0"),
        ("192.0.2.7", None, "Mozilla/5.0"),
        ("192.0.2.8", "John Doe", None),
        ("192.0.2.1", None, 'a "quoted" agent "too"'),
    ]
    query = "select distinct occurred_at::timestamp::varchar from raw.web_events order by 1"
    assert ask(query) == ["2025-03-01 04:30:00", "2025-03-01 10:00:00"]


def test_campaigns_are_read_from_the_address(land: Any, ask: Any) -> None:
    target = "/?utm_source=news+letter&utm_medium=e%2Dmail&utm_campaign=%ff&x=1"
    land("access_log", {"access.log": line(f"GET {target} HTTP/1.1")})
    assert ask("select utm_source, utm_medium, utm_campaign from raw.web_events") == [
        ("news letter", "e-mail", "%ff")
    ]


def test_other_lines_go_to_quarantine(land: Any, ask: Any) -> None:
    lines = [
        "a line from elsewhere\n",
        line(),
        '192.0.2.1 - - [01/Mar/2025:10:00:00 +0000] "GET / HTTP/1.1\n',
        line().replace("01/Mar", "31/Feb"),
    ]
    loaded = land("access_log", {"access.log": "".join(lines)})
    assert (loaded.rows_loaded, loaded.rows_quarantined) == (1, 3)
    assert ask("select reason from quarantine.rows order by line") == [
        "malformed row: not a line of Web server access log (Apache, nginx)",
        "malformed row: not a line of Web server access log (Apache, nginx)",
        "occurred_at is not a timestamp",
    ]


def test_equal_lines_are_two_requests(land: Any, ask: Any) -> None:
    land("access_log", {"access.log": line() * 2})
    assert ask("select count(*), count(event_id) from raw.web_events") == [(2, 0)]
