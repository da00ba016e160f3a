"""One export as the settings describe it."""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from tessera.ingest.fetch.settings import Fetch, check
from tessera.ingest.formats.registry import FORMATS
from tessera.ingest.kinds import KINDS, Group

PHYSICAL = ("auto", "csv", "jsonl", "json", "parquet")


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
    """One export: which files, and what they are.

    Either `format` names a vendor's format, which knows its columns, or `kind` and `columns` say
    which of the export's columns is which. `uri` says where the files are fetched from, if not by
    other means.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = ""
    files: Annotated[str, AfterValidator(_relative_glob)]
    uri: str = ""
    fetch: Fetch = Fetch()
    format: str = "auto"
    columns: dict[str, str] = {}
    values: dict[str, str] = {}
    ignore: tuple[str, ...] = ()
    delimiter: str = Field(default="", max_length=1)
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    time_format: str = "iso"
    date_format: str = "iso"
    timezone: str = "UTC"
    same_name: Literal["replace", "add"] = "replace"
    period: str = ""
    refund_order_prefix: str = ""
    negative_price: Literal["quarantine", "adjustment"] = "quarantine"
    exact_duplicates: Literal["keep", "quarantine"] = "keep"

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the export gives; refused rows count under the first."""
        return (self.kind,) if self.kind else tuple(FORMATS[self.format].kinds)

    @property
    def group(self) -> Group:
        """Whose DAG loads it."""
        return KINDS[self.kinds[0]].group

    @model_validator(mode="after")
    def _is_a_format_or_a_mapping(self) -> Source:
        if self.format in FORMATS:
            if self.refund_order_prefix:
                raise ValueError("refund_order_prefix belongs to kind 'order_lines'")
            if self.kind or self.columns or self.values:
                raise ValueError(
                    f"format '{self.format}' knows its kinds and columns: leave out `kind` and "
                    "`columns`, or use format 'csv', 'json' … with a mapping of your own"
                )
            return self
        if self.format not in PHYSICAL:
            hint = did_you_mean(self.format, [*PHYSICAL, *FORMATS])
            raise ValueError(f"unknown format '{self.format}'{hint}")
        if self.kind not in KINDS:
            told = f"unknown kind '{self.kind}'" if self.kind else "`kind` or `format` is needed"
            raise ValueError(f"{told}{did_you_mean(self.kind, KINDS)}")
        self._check_mapping()
        return self

    def _check_mapping(self) -> None:
        kind = KINDS[self.kind]
        for name in (*self.columns, *self.values):
            if name not in kind.columns:
                hint = did_you_mean(name, kind.columns)
                raise ValueError(f"'{name}' is no column of kind '{self.kind}'{hint}")
        given = {*self.columns, *self.values}
        twice = sorted(set(self.columns) & set(self.values))
        if twice:
            raise ValueError(f"both in `columns` and in `values`: {twice}")
        missing = [name for name in kind.required if name not in given]
        if missing:
            raise ValueError(f"columns of kind '{self.kind}' still to be mapped: {missing}")
        if kind.one_of and not set(kind.one_of) & given:
            raise ValueError(f"kind '{self.kind}' needs one of the columns {list(kind.one_of)}")
        if self.refund_order_prefix and self.kind != "order_lines":
            raise ValueError("refund_order_prefix belongs to kind 'order_lines'")

    @model_validator(mode="after")
    def _can_be_fetched(self) -> Source:
        if self.uri:
            check(self.uri, self.fetch)
        elif self.fetch != Fetch():
            raise ValueError("`fetch` needs a `uri`: where the export is to be fetched from")
        return self

    @model_validator(mode="after")
    def _separators_differ(self) -> Source:
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both '{self.decimal}'")
        return self

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"'{value}' is not an IANA time zone such as 'Europe/Berlin'")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            return codecs.lookup(value).name
        except LookupError:
            raise ValueError(
                f"'{value}' is no known encoding; usual ones: utf-8, utf-16, latin-1, cp1252"
            ) from None

    @field_validator("time_format", "date_format")
    @classmethod
    def _known_time_format(cls, value: str) -> str:
        if value in ("iso", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds"):
            return value
        if "%" not in value:
            raise ValueError(
                f"'{value}' is neither 'iso', 'epoch_seconds', 'epoch_milliseconds', "
                "'epoch_microseconds' nor a pattern such as '%d/%m/%Y %H:%M'"
            )
        return value

    @field_validator("period")
    @classmethod
    def _one_group(cls, value: str) -> str:
        try:
            groups = re.compile(value).groups
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if value and groups != 1:
            raise ValueError(r"needs one group, such as 'orders-(\d{4}-\d{2}-\d{2})'")
        return value
