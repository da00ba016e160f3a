from __future__ import annotations

from pathlib import Path

from tessera import reference, settings

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_is_what_the_code_says(tmp_path: Path) -> None:
    told = settings.load(ROOT / "settings.toml").model_copy(update={"data_dir": tmp_path})
    pages = reference.write(told, tmp_path / "reference")
    for page in pages:
        written = (ROOT / "docs" / "reference" / page.name).read_text(encoding="utf-8")
        assert written == page.read_text(encoding="utf-8"), "run `.venv/bin/tessera reference`"
    kept = {page.name for page in (ROOT / "docs" / "reference").glob("*.md")}
    assert kept == {page.name for page in pages}
