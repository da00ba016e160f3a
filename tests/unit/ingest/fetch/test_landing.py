"""The journal: files and the mark they go up to agree, whenever a run ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tessera.ingest.fetch.failure import FetchFailed
from tessera.ingest.fetch.landing import landing


def write(place, name: str, text: str = "{}\n") -> None:
    place.part(name).write_text(text)


def test_parts_that_were_not_committed_are_thrown_away(tmp_path: Path):
    with landing(tmp_path / "inbox", tmp_path / "state", "feed") as place:
        write(place, "00000001.jsonl")
    strangers = tmp_path / "inbox" / "feed" / "upload.csv.part"
    strangers.write_text("somebody is still writing this")
    with landing(tmp_path / "inbox", tmp_path / "state", "feed") as place:
        assert place.saved == {}
        assert list(place.folder.iterdir()) == [strangers]


def test_names_of_the_state_become_files(tmp_path: Path):
    with landing(tmp_path / "inbox", tmp_path / "state", "feed") as place:
        write(place, "00000001.jsonl")
        write(place, "00000002.jsonl")
    state = {"settings": "s", "number": 2, "saved": {"mark": 1}, "pending": ["00000001.jsonl"]}
    (tmp_path / "state" / "feed.json").write_text(json.dumps(state))
    with landing(tmp_path / "inbox", tmp_path / "state", "feed") as place:
        assert [path.name for path in place.folder.iterdir()] == ["00000001.jsonl"]
        assert place.saved == {"mark": 1}
        assert place.next_number() == 3


def test_numbers_go_on_when_the_state_is_lost(tmp_path: Path):
    (tmp_path / "inbox" / "feed").mkdir(parents=True)
    for name in ("00000007-0002.parquet", "00000004.jsonl", "notes.txt"):
        (tmp_path / "inbox" / "feed" / name).touch()
    with landing(tmp_path / "inbox", tmp_path / "state", "feed") as place:
        assert place.next_number() == 8


def test_one_run_at_a_time(tmp_path: Path):
    with (
        landing(tmp_path / "inbox", tmp_path / "state", "feed"),
        landing(tmp_path / "inbox", tmp_path / "state", "other"),
        pytest.raises(FetchFailed, match="another run is fetching it"),
        landing(tmp_path / "inbox", tmp_path / "state", "feed"),
    ):
        pass


def test_a_broken_state_says_what_to_do(tmp_path: Path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "feed.json").write_text("{")
    with (
        pytest.raises(FetchFailed, match=r"feed.json cannot be read .*delete the file to fetch"),
        landing(tmp_path / "inbox", tmp_path / "state", "feed"),
    ):
        pass
