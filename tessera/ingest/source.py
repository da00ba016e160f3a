"""One export as the settings describe it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from tessera.ingest.kinds import KINDS


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The tail of an error message: the known word that is nearest, or all of them.

    >>> did_you_mean("quantty", ["quantity", "unit_price"])
    "; did you mean 'quantity'?"
    """
    words = list(known)
    close = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(words)}"


def _relative_glob(pattern: str) -> str:
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise ValueError("must be a path inside the inbox, such as 'shop/orders-*.csv'")
    return pattern


class Source(BaseModel):
    """One export: which files, what kind, and which of their columns is which."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    files: Annotated[str, AfterValidator(_relative_glob)]
    format: Literal["auto", "csv", "jsonl", "json", "parquet"] = "auto"
    columns: dict[str, str]
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    timezone: str = "UTC"
    refund_order_prefix: str = ""
    negative_price: Literal["quarantine", "adjustment"] = "quarantine"
    exact_duplicates: Literal["keep", "quarantine"] = "keep"

    @model_validator(mode="after")
    def _columns_belong_to_the_kind(self) -> Source:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind '{self.kind}'{did_you_mean(self.kind, KINDS)}")
        kind = KINDS[self.kind]
        for name in self.columns:
            if name not in kind.columns:
                hint = did_you_mean(name, kind.columns)
                raise ValueError(f"'{name}' is no column of kind '{self.kind}'{hint}")
        missing = [name for name in kind.required if name not in self.columns]
        if missing:
            raise ValueError(f"columns of kind '{self.kind}' still to be mapped: {missing}")
        if self.refund_order_prefix and self.kind != "order_lines":
            raise ValueError("refund_order_prefix belongs to kind 'order_lines'")
        return self

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"'{value}' is not an IANA time zone such as 'Europe/Berlin'")
        return value
