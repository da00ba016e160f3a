from __future__ import annotations

from pathlib import Path

from tessera import reference, settings
from tessera.pages import outputs_of

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_is_what_the_code_says(tmp_path: Path) -> None:
    told = settings.load(ROOT / "settings.toml").model_copy(update={"data_dir": tmp_path})
    kept, made = ROOT / "docs" / "reference", tmp_path / "reference"
    (made / "tables").mkdir(parents=True)
    (made / "tables" / "gone.md").touch()
    written = reference.write(told, made, outputs_of(kept))
    names = {page.relative_to(made) for page in written}
    for name in names:
        assert (kept / name).read_text() == (made / name).read_text(), (
            "run `.venv/bin/tessera reference`"
        )
    assert {page.relative_to(kept) for page in kept.rglob("*.md")} == names
    assert not (made / "tables" / "gone.md").exists()
