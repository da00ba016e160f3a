"""Superset's settings. Secrets come from the environment alone; without them it does not start."""

from __future__ import annotations

import os
from pathlib import Path

# The published file as all are told to open it: no other file can be read, no setting changed.
# For PostgreSQL: postgresql+psycopg2://tessera_bi:…@host:5432/tessera
SEGMENTS_URI = os.environ.get("SEGMENTS_URI") or (
    "duckdb:////data/published/segments.duckdb?access_mode=read_only"
    "&enable_external_access=false&lock_configuration=true&threads=2&memory_limit=1GB"
)
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["SUPERSET_META_URI"]
DATA_DIR = os.environ.get("SUPERSET_HOME", "/var/lib/superset")
IS_HTTPS = os.environ.get("SUPERSET_HTTPS", "false") == "true"

WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = IS_HTTPS
ENABLE_PROXY_FIX = IS_HTTPS
PUBLIC_ROLE_LIKE = None
AUTH_USER_REGISTRATION = False
# Slow down who guesses passwords; pages themselves load some hundred files at once.
RATELIMIT_ENABLED = True
RATELIMIT_STORAGE_URI = "memory://"
RATELIMIT_APPLICATION = "500 per second"
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "20 per minute"

FEATURE_FLAGS = {
    "ALERT_REPORTS": False,
    "ALLOW_ADHOC_SUBQUERY": True,  # charts of the latest run ask which it is
    "EMBEDDED_SUPERSET": False,
    "THUMBNAILS": False,
}
PREVENT_UNSAFE_DB_CONNECTIONS = True
SQLLAB_TIMEOUT = 60
SUPERSET_WEBSERVER_TIMEOUT = 60
ROW_LIMIT = 10_000
LANGUAGES: dict[str, dict[str, str]] = {}

# Data is never cached: what is published shows at once. What people click is kept in files.
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}


def _files(name: str) -> dict[str, object]:
    folder = str(Path(DATA_DIR) / name)
    return {"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": folder, "CACHE_DEFAULT_TIMEOUT": 86_400}


FILTER_STATE_CACHE_CONFIG = _files("filters")
EXPLORE_FORM_DATA_CACHE_CONFIG = _files("explore")

# Nothing is loaded from elsewhere; so the telemetry pixel in Superset's pages is not either.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "frame-ancestors": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": IS_HTTPS,
}

# Okabe and Ito's colours, told apart by the colour-blind; then the same darker, and lighter.
SEGMENT_COLOURS = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800",
    "#004c77", "#996a00", "#00694c", "#8b3f68", "#1b7fb8", "#8f3f00", "#7a7000",
    "#66aad1", "#f0c566", "#66c5ab", "#e0afca", "#9ad2f1", "#e69e66", "#d4cb66",
]  # fmt: skip
EXTRA_CATEGORICAL_COLOR_SCHEMES = [
    {
        "id": "tessera",
        "description": "Told apart by the colour-blind",
        "label": "Tessera",
        "isDefault": True,
        "colors": SEGMENT_COLOURS,
    }
]
