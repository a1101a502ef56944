"""Where Tesseract's language data is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from ocr_core.errors import EnvironmentFault

_PLACES = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tesseract-ocr/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
    "/home/linuxbrew/.linuxbrew/share/tessdata",
)


def find_tessdata(option: str | None, languages: tuple[str, ...]) -> Path:
    """Finds the folder that holds every one of `languages`.

    Looked at in turn: the option (alone, when given), `TESSDATA_PREFIX` (the folder or its parent), the usual
    places of Debian, Homebrew and conda, and what `tesseract --list-langs` says.

    Raises:
        EnvironmentFault: If no folder holds them all; the remedy is the command that installs them.
    """
    searched = []
    best: tuple[int, Path] | None = None
    for folder in [Path(option)] if option else _candidates():
        searched.append(str(folder))
        have = sum((folder / f"{language}.traineddata").is_file() for language in languages)
        if have == len(languages):
            return folder
        if have or (folder / "eng.traineddata").is_file():
            best = max(best, (have, folder)) if best else (have, folder)
    if option or best:
        folder = Path(option) if option else best[1] if best else Path()
        missing = [name for name in languages if not (folder / f"{name}.traineddata").is_file()]
        raise EnvironmentFault(
            f"Tesseract has no data for language {', '.join(missing)} in {folder}",
            install_command(tuple(missing)),
        )
    raise EnvironmentFault(
        f"Tesseract's language data is nowhere to be found (looked at: {', '.join(searched)})",
        install_command(languages),
    )


def install_command(languages: tuple[str, ...]) -> str:
    """Returns the command that installs language data on Debian and Ubuntu."""
    packages = ["script-" + name.split("/")[1].lower()[:4] if "/" in name else name for name in languages]
    names = " ".join(f"tesseract-ocr-{name.replace('_', '-').lower()}" for name in packages)
    return f"sudo apt install tesseract-ocr {names}"


def _candidates() -> Iterator[Path]:
    prefix = os.environ.get("TESSDATA_PREFIX")
    if prefix:
        yield Path(prefix)
        yield Path(prefix, "tessdata")
    yield from map(Path, _PLACES)
    for base in (os.environ.get("CONDA_PREFIX"), sys.prefix):
        if base:
            yield Path(base, "share", "tessdata")
    listed = _listed_by_program()
    if listed is not None:
        yield listed


@lru_cache(maxsize=1)
def _listed_by_program() -> Path | None:
    program = shutil.which("tesseract")
    if program is None:
        return None
    try:
        answer = subprocess.run(
            [program, "--list-langs"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    quoted = answer.partition('"')[2].partition('"')[0]
    return Path(quoted) if quoted else None
