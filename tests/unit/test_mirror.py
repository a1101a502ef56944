"""The tests mirror the source: `tasks/work/planning.py` is tested by `tests/<kind>/tasks/work/test_planning.py`.

The kinds are the folders of `tests/`: unit, property, integration, faults. `modules_without_a_test.txt` lists the
modules that have no such file yet. The list may only shrink.
"""

from __future__ import annotations

from pathlib import Path

from tests.places import ROOT

PACKAGES = ("deployments", "flows", "ocr_core", "tasks")
LIST = Path(__file__).with_name("modules_without_a_test.txt")


def modules() -> set[str]:
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return {str(file.relative_to(ROOT)) for file in files if file.name != "__init__.py"}


def modules_with_a_test() -> set[str]:
    files = (file.relative_to(ROOT / "tests") for file in (ROOT / "tests").rglob("test_*.py"))
    return {str(Path(*file.parts[1:-1], file.name.removeprefix("test_"))) for file in files}


def test_every_module_has_a_test_file_or_is_listed() -> None:
    missing = modules() - modules_with_a_test()
    listed = set(LIST.read_text().split())
    assert sorted(missing - listed) == [], (
        "add a test file for each of these modules, in the folder that mirrors its own"
    )
    assert sorted(listed - missing) == [], (
        f"these have a test file now, or no longer exist: remove them from {LIST.name}"
    )


def test_every_test_folder_mirrors_a_source_folder() -> None:
    kinds = [ROOT / "tests" / kind for kind in ("unit", "property", "integration", "faults")]
    folders = {test.parent.relative_to(kind) for kind in kinds for test in kind.rglob("*/test_*.py")}
    mirrored = {folder for folder in folders if folder.parts and folder.parts[0] in PACKAGES}
    assert sorted(str(folder) for folder in mirrored if not (ROOT / folder).is_dir()) == []
