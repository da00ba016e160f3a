"""Pseudonyms: what stands for an identifier downstream of the vault. HMAC-SHA-256 with a key.

Source: RFC 2104. The same in Python and in DuckDB; there the key lies in two session variables,
already xored with HMAC's pads, so that no SQL text holds it. docs/decisions/pseudonyms.md.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

BLOCK_BYTES = 64  # of SHA-256
HEX_DIGITS = 32  # 128 bits: no two of a billion persons meet

FUNCTION = f"""
create or replace temporary macro pseudonym(namespace, identifier) as substr(sha256(
    getvariable('pseudonym_outer') || unhex(sha256(
        getvariable('pseudonym_inner') || encode(namespace || ':' || identifier)
    ))
), 1, {HEX_DIGITS})
"""


def pseudonym(key: str, namespace: str, identifier: str) -> str:
    """What stands for an identifier; each namespace (customer, email, …) has its own.

    >>> pseudonym("k" * 32, "customer", "ada")
    '6522dce45f79604906a95118ccdb094d'
    """
    told = f"{namespace}:{identifier}".encode()
    return hmac.new(key.encode(), told, hashlib.sha256).hexdigest()[:HEX_DIGITS]


def fingerprint(key: str) -> str:
    """Names a key without giving it away: kept in the warehouse, to notice another key."""
    return hmac.new(key.encode(), b"fingerprint of the key", hashlib.sha256).hexdigest()[:16]


def define_function(connection: Any, key: str) -> None:
    """Give a DuckDB connection the SQL function `pseudonym(namespace, identifier)`.

    Temporary: nothing of it is stored. A null identifier gives null.
    """
    block = _hashed_if_long(key.encode()).ljust(BLOCK_BYTES, b"\0")
    for variable, pad in (("pseudonym_inner", 0x36), ("pseudonym_outer", 0x5C)):
        padded = bytes(byte ^ pad for byte in block)
        connection.execute(f"set variable {variable} = $1", [padded])
    connection.execute(FUNCTION)


def _hashed_if_long(key: bytes) -> bytes:
    return hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key
