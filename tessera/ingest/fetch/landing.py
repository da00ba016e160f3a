"""Where what was fetched lands: files of the inbox, and the mark up to which they go.

A journal makes the two agree after a crash at any point. Files are written as `.fetch.part`; then
the state is saved, with the new mark and the names that go with it; then the files are renamed. A
crash before the state is saved leaves the old mark, and the parts are thrown away; a crash after it
leaves names in the state, and the next run renames what is still to be renamed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tessera import disk
from tessera.ingest.fetch.failure import FetchFailed

# No one else calls a file so: what others are still writing into the folder is not ours to remove.
PART = ".fetch.part"


class Landing:
    """The folder of one source in the inbox, and its saved state; made by `landing`.

    saved     what the fetcher wrote down at its last commit; empty at first
    settings  says which settings `saved` belongs to
    """

    def __init__(self, folder: Path, state_file: Path) -> None:
        self.folder = folder
        self._state_file = state_file
        state = _read(state_file)
        self.saved: dict[str, Any] = state.get("saved", {})
        self.settings: str = state.get("settings", "")
        self._number: int = state.get("number", 0)
        self._recover(state.get("pending", []))

    def begin(self, settings: str) -> bool:
        """Forget what was saved under other settings; say whether there was anything to forget."""
        forgets = bool(self.saved) and self.settings != settings
        if forgets:
            self.saved = {}
        self.settings = settings
        return forgets

    def next_number(self) -> int:
        """The number of the next extraction: above all that were landed, also without a state."""
        there = (path.name.partition(".")[0].partition("-")[0] for path in self.folder.glob("*"))
        return max([self._number, *(int(n) for n in there if n.isdigit() and n.isascii())]) + 1

    def part(self, name: str) -> Path:
        """Where the file that will be called `name` is written first; its folder is made."""
        path = self.folder / f"{name}{PART}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def fresh(self, names: Sequence[str], digests: Sequence[str]) -> tuple[list[str], list[str]]:
        """Drop the parts whose SHA-256 is among `digests`; return the others, and all digests.

        An extraction that can only ask for everything is not kept again when nothing changed.
        """
        kept, found = [], []
        for name in names:
            with self.part(name).open("rb") as stream:
                found.append(hashlib.file_digest(stream, "sha256").hexdigest())
            if found[-1] in digests:
                self.part(name).unlink()
            else:
                kept.append(name)
        return kept, found

    def commit(self, names: Sequence[str], saved: dict[str, Any], number: int = 0) -> int:
        """Let the parts become files together with the new state; return their size in bytes."""
        size = 0
        for name in names:
            size += self.part(name).stat().st_size
            disk.sync(self.part(name))
        self.saved, self._number = saved, max(number, self._number)
        self._write(pending=names)
        self._rename(names)
        return size

    def land(self, name: str) -> int:
        """Let one part become a file at once; return its size in bytes.

        For what may be fetched again under the same name, should the state not be saved.
        """
        size = self.part(name).stat().st_size
        disk.sync(self.part(name))
        self._rename([name])
        return size

    def save(self, saved: dict[str, Any]) -> None:
        """Keep a new state with which no file goes."""
        self.saved = saved
        self._write(pending=())

    def _rename(self, names: Sequence[str]) -> None:
        for name in names:
            self.part(name).replace(self.folder / name)
            disk.sync((self.folder / name).parent)

    def _recover(self, pending: Sequence[str]) -> None:
        self._rename([name for name in pending if self.part(name).exists()])
        for left in self.folder.rglob(f"*{PART}"):
            left.unlink()

    def _write(self, pending: Sequence[str]) -> None:
        state = {
            "settings": self.settings,
            "number": self._number,
            "pending": list(pending),
            "saved": self.saved,
        }
        draft = self._state_file.with_suffix(".tmp")
        draft.write_text(json.dumps(state, indent=1), encoding="utf-8")
        disk.sync(draft)
        draft.replace(self._state_file)
        disk.sync(self._state_file.parent)


@contextmanager
def landing(inbox: Path, state: Path, source_name: str) -> Iterator[Landing]:
    """The landing of one source, for one run at a time.

    Raises FetchFailed when another run is fetching this source or the state cannot be read.
    """
    folder = inbox / source_name
    folder.mkdir(parents=True, exist_ok=True)
    state.mkdir(parents=True, exist_ok=True)
    with (state / f"{source_name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FetchFailed("another run is fetching it: wait for that one") from None
        yield Landing(folder, state / f"{source_name}.json")


def _read(state_file: Path) -> dict[str, Any]:
    if not state_file.exists():
        return {}
    try:
        state: dict[str, Any] = json.loads(state_file.read_text(encoding="utf-8"))
        return state
    except ValueError as error:
        raise FetchFailed(
            f"its saved state {state_file} cannot be read ({error}): delete the file to fetch from "
            "the start; rows that are there already are not counted twice"
        ) from None
