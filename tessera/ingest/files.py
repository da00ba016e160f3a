"""Which export files lie in the inbox, and what they are."""

from __future__ import annotations

import csv
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
}
HEADER_BYTES = 1024**2
UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")


class RefusedFile(ValueError):
    """The whole file cannot be loaded; the message is the reason kept with it."""


@dataclass(frozen=True)
class ExportFile:
    """One file of the inbox: `name` is its path below the inbox, `size` is in bytes."""

    path: Path
    name: str
    size: int
    content_hash: str


def discover(inbox: Path, pattern: str) -> list[ExportFile]:
    """Files below `inbox` that match the glob, sorted by name; unfinished ones are left alone."""
    return [
        ExportFile(path, path.relative_to(inbox).as_posix(), path.stat().st_size, _digest(path))
        for path in sorted(inbox.glob(pattern))
        if path.is_file()
        and path.suffix not in UNFINISHED
        and not any(part.startswith(".") for part in path.relative_to(inbox).parts)
    ]


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def format_of(path: Path, declared: str) -> str:
    """`csv`, `jsonl`, `json` or `parquet`, from the settings or from the file's name."""
    if declared != "auto":
        return declared
    suffixes = [s for s in path.suffixes if s not in (".gz", ".zst")]
    found = FORMATS.get(suffixes[-1].lower() if suffixes else "")
    if found is None:
        raise RefusedFile(
            f"the name does not say what the file is; known endings: {', '.join(FORMATS)} "
            "(also with .gz), or set `format` for the source"
        )
    return found


def csv_header(path: Path, delimiter: str) -> tuple[str, ...]:
    """Column names of a CSV file, from its first line.

    Raises RefusedFile when there is none or when it cannot be one.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            # Bytes: a text stream would decode far beyond the header and fail on a later row.
            line = stream.readline(HEADER_BYTES).decode("utf-8-sig")
        header = next(csv.reader([line], delimiter=delimiter), None)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise RefusedFile(f"the header cannot be read as CSV text: {error}") from None
    if not header:
        raise RefusedFile("the file is empty: not even a header")
    if any(ord(character) < ord(" ") and character != "\t" for character in line.rstrip("\r\n")):
        raise RefusedFile("the header cannot be read as CSV text: it holds control characters")
    names = tuple(column.strip() for column in header)
    twice = {column for column in names if names.count(column) > 1}
    if twice:
        raise RefusedFile(f"the header names a column twice: {', '.join(sorted(twice))}")
    return names
