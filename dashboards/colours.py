"""The same colour for a segment in every chart, whatever a company's segments are called.

A segment has its colour by its number in the order of birth, by id: it keeps it when its size or
its name changes, and no new segment takes it over. Superset knows colours by label, so this writes
`label_colors` of each dashboard anew when what is published has other names.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from superset_config import SEGMENT_COLOURS, SEGMENTS_URI

EVERY_SECONDS = 30
GREY = "#8a949e"
# What is no cluster has no colour of its own.
NO_CLUSTER = "without-purchase"
FIXED = {
    "onboarding": "#56b4e9", "active": "#009e73", "slipping": "#e69f00", "dormant": "#d55e00",
    "churned": "#8a949e", "won_back": "#0072b2", "prospect": "#cc79a7",
    "holds": "#009e73", "warns": "#e69f00", "stops the run": "#d55e00",
    "succeeded": "#009e73", "failed": "#d55e00",
    "Loaded": "#0072b2", "Refused": "#e69f00", "Already there": "#8a949e",
    "rows_loaded": "#0072b2", "rows_refused": "#e69f00", "rows_already_there": "#8a949e",
    "new": "#8a949e", "behaviour": "#0072b2", "boundary": "#e69f00", "correction": "#d55e00",
}  # fmt: skip
NAMES = """
    select segment_id, segment_name from segments.segment_profiles
    union select segment_id, segment_name from segments.segment_history
    union select from_segment_id, from_segment_name from segments.segment_lineage
    where from_segment_id is not null and from_segment_name is not null
"""


def place(segment_id: str) -> tuple[int, str]:
    """Where a segment stands: ids end in the number of their birth.

    >>> sorted(["s10", "s2", "without-purchase"], key=place)
    ['s2', 's10', 'without-purchase']
    """
    digits = "".join(c for c in segment_id if c.isdigit())
    return (int(digits), segment_id) if digits else (sys.maxsize, segment_id)


def colours(segments: Sequence[tuple[str, str]], palette: Sequence[str]) -> dict[str, str]:
    """Name → colour, for rows of id and name; every name that a segment ever had is told.

    >>> colours([("s2", "Loyal"), ("s1", "New"), ("s1", "Fresh")], ["red", "blue"])
    {'Fresh': 'red', 'New': 'red', 'Loyal': 'blue'}
    """
    told = {}
    for segment_id, name in sorted(segments, key=lambda row: (place(row[0]), row[1])):
        number = place(segment_id)[0]
        is_cluster = segment_id != NO_CLUSTER and number < sys.maxsize
        told[name] = palette[(number - 1) % len(palette)] if is_cluster else GREY
    return told


def told_colours(uri: str = SEGMENTS_URI) -> dict[str, str]:
    """The colours of what is published now."""
    engine = create_engine(uri, poolclass=NullPool)
    with engine.connect() as connection:
        rows = [(row[0], row[1]) for row in connection.execute(text(NAMES))]
    return {**FIXED, **colours(rows, SEGMENT_COLOURS)}


def write(told: Mapping[str, str], meta_uri: str) -> int:
    """Put the colours into every dashboard of Superset's own database; return how many changed."""
    changed = 0
    engine = create_engine(meta_uri, poolclass=NullPool)
    with engine.begin() as connection:
        for number, kept in connection.execute(text("select id, json_metadata from dashboards")):
            metadata = json.loads(kept or "{}")
            if metadata.get("label_colors") == told:
                continue
            metadata |= {"label_colors": told, "map_label_colors": told}
            connection.execute(
                text("update dashboards set json_metadata = :told where id = :number"),
                {"told": json.dumps(metadata), "number": number},
            )
            changed += 1
    return changed


def main() -> None:
    """Once, or with `--watch` for as long as Superset runs. Nothing published yet: tries again."""
    superset = os.getppid()
    while os.getppid() == superset:
        try:
            changed = write(told_colours(), os.environ["SUPERSET_META_URI"])
            if changed:
                print(f"colours of segments: {changed} dashboards", flush=True)
        except Exception as error:  # what is not there yet, or away for a while
            print(f"colours of segments: {str(error).splitlines()[0][:200]}", flush=True)
        if "--watch" not in sys.argv:
            return
        time.sleep(EVERY_SECONDS)


if __name__ == "__main__":
    main()
