"""Which export files lie in the inbox, and what they are."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

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
CHUNK_BYTES = 4 * 1024**2
# What a damaged gzip or zstd file raises, depending on where the damage is.
UNREADABLE = (OSError, EOFError, zlib.error)
UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")


class RefusedFile(ValueError):
    """The whole file cannot be loaded; the message is the reason kept with it."""


@dataclass(frozen=True)
class ExportFile:
    """One file of the inbox: `name` is its path below the inbox, `size` is in bytes.

    `readable` is where its text lies as UTF-8 with even line ends: the file, or a cleaned copy.
    """

    path: Path
    name: str
    size: int
    content_hash: str
    modified_ns: int
    readable: Path

    def has_changed(self) -> bool:
        """Whether somebody wrote to the file since it was found."""
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return True
        return (now.st_size, now.st_mtime_ns) != (self.size, self.modified_ns)


@dataclass(frozen=True)
class Found:
    """What lies in the inbox for one source; `growing` files are left for the next run."""

    files: list[ExportFile] = field(default_factory=list)
    growing: list[str] = field(default_factory=list)


def discover(inbox: Path, pattern: str, settle_seconds: float = 0.0) -> Found:
    """Files below `inbox` that match the glob, sorted by name.

    Unfinished ones (by ending, or hidden) are left alone. A file written to within the last
    `settle_seconds` is looked at again after that time: if it changed, it is still growing.
    """
    paths = [path for path in sorted(inbox.glob(pattern)) if _is_export(path, inbox)]
    before = {path: path.stat() for path in paths}
    _wait_for_the_youngest(before.values(), settle_seconds)
    found = Found()
    for path in paths:
        name = path.relative_to(inbox).as_posix()
        told = before[path]
        digest = _digest(path)
        file = ExportFile(path, name, told.st_size, digest, told.st_mtime_ns, path)
        if file.has_changed():
            found.growing.append(name)
        else:
            found.files.append(file)
    return found


def _is_export(path: Path, inbox: Path) -> bool:
    return (
        path.is_file()
        and path.suffix not in UNFINISHED
        and not any(part.startswith(".") for part in path.relative_to(inbox).parts)
    )


def _wait_for_the_youngest(stats: Any, settle_seconds: float) -> None:
    ages = [time.time() - told.st_mtime for told in stats]
    young = [age for age in ages if 0 <= age < settle_seconds]
    if young:
        time.sleep(settle_seconds - min(young))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def physical_of(path: Path, declared: str) -> str:
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


def json_layout(path: Path) -> str:
    """How a JSON file is laid out: `jsonl`, `array`, or `unstructured` (one or more objects)."""
    try:
        with _open(path) as stream:
            head = stream.readline(HEADER_BYTES).decode("utf-8-sig", "replace").strip()
            while not head:
                line = stream.readline(HEADER_BYTES)
                if not line:
                    raise RefusedFile("the file is empty: no JSON in it")
                head = line.decode("utf-8", "replace").strip()
    except UNREADABLE as error:
        raise RefusedFile(f"the file cannot be read: {error}") from None
    try:
        return "jsonl" if isinstance(json.loads(head), dict) else "array"
    except json.JSONDecodeError:
        return "array" if head.startswith("[") else "unstructured"


def csv_header(path: Path, delimiter: str) -> tuple[str, ...]:
    """Column names of a CSV file, from its first line.

    Raises RefusedFile when there is none or when it cannot be one.
    """
    try:
        with _open(path) as stream:
            # Bytes: a text stream would decode far beyond the header and fail on a later row.
            first = stream.readline(HEADER_BYTES).decode("utf-8-sig")
        # A file of a Mac before 2001 ends its lines with CR alone.
        line = first.splitlines()[0] if first.strip() else ""
        header = next(csv.reader([line], delimiter=delimiter), None)
    except (*UNREADABLE, UnicodeDecodeError, csv.Error) as error:
        raise RefusedFile(f"the header cannot be read as CSV text: {error}") from None
    if not header:
        raise RefusedFile("the first line is empty: the header is expected there")
    if any(ord(character) < ord(" ") and character != "\t" for character in line):
        raise RefusedFile("the header cannot be read as CSV text: it holds control characters")
    # Spreadsheets write empty columns beside the table: their place is their name.
    names = tuple(column.strip() or f"column_{place}" for place, column in enumerate(header, 1))
    folded = [column.casefold() for column in names]
    twice = {column for column in names if folded.count(column.casefold()) > 1}
    if twice:
        raise RefusedFile(f"the header names a column twice: {', '.join(sorted(twice))}")
    return names


def byte_order_mark(path: Path) -> str:
    """`utf-16` when the file says so by its first two bytes, else an empty string."""
    try:
        with _open(path) as stream:
            start = stream.read(2)
    except UNREADABLE:
        return ""
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ""


def clean_copy(path: Path, encoding: str, folder: Path) -> Path:
    """Copy a text file as UTF-8 with LF line ends, unpacked. Raises RefusedFile when it is none."""
    target = folder / f"{hashlib.sha256(str(path).encode()).hexdigest()}{_bare_suffix(path)}"
    decode = codecs.getincrementaldecoder(encoding)(
        "surrogateescape" if encoding == "utf-8" else "strict"
    )
    even = _even_line_ends()
    try:
        with _open(path) as stream, target.open("wb") as copy:
            while chunk := stream.read(CHUNK_BYTES):
                copy.write(even(decode.decode(chunk)).encode("utf-8", "surrogateescape"))
            copy.write(
                even(decode.decode(b"", final=True) + "\n").encode("utf-8", "surrogateescape")
            )
    except UnicodeDecodeError as error:
        raise RefusedFile(
            f"not {encoding} text: {error.reason} at byte {error.start} of a block; set `encoding`"
        ) from None
    except UNREADABLE as error:
        raise RefusedFile(f"the file cannot be read: {error}") from None
    return target


def _bare_suffix(path: Path) -> str:
    return "".join(s for s in path.suffixes[-2:] if s not in (".gz", ".zst"))


def _even_line_ends() -> Callable[[str], str]:
    """CR LF and lone CR become LF, also where a pair is cut by the end of a block."""
    pending = ""

    def even(text: str) -> str:
        nonlocal pending
        text = pending + text
        pending = "\r" if text.endswith("\r") else ""
        if pending:
            text = text[:-1]
        return text.replace("\r\n", "\n").replace("\r", "\n")

    return even


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".zst":
        return cast(BinaryIO, io.BufferedReader(pa.input_stream(path, compression="zstd")))
    return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
