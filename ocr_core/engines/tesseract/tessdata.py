"""Tesseract's language data: where it is, which kind it is, and how to get missing models."""

from __future__ import annotations

import os
import shlex
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import system_command

_PLACES = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tesseract-ocr/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
    "/home/linuxbrew/.linuxbrew/share/tessdata",
)


_PACKAGED = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata")
"""Folders of the Debian and Ubuntu packages, which contain the fast models."""

_HEADER = struct.Struct("<i24xq")
"""A model's first bytes: its number of parts, and the fourth part's offset (Tesseract's `TessdataManager`).

The fourth part holds the templates of the legacy engine; a missing part has the offset -1.
"""
_MOST_PARTS = 64

_SOURCE = "https://github.com/tesseract-ocr/{collection}/raw/main/{language}.traineddata"
_COLLECTIONS = {"base": "tessdata", "best": "tessdata_best", "fast": "tessdata_fast"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The kind of models to look for.

    Attributes:
        folder: The only folder to search; None for the usual places.
        model_type: `base` (any), `best` or `fast`, according to the folder's name.
        legacy: Whether they must contain the legacy engine.
    """

    folder: str | None = None
    model_type: str = "base"
    legacy: bool = False

    def accepts(self, path: Path) -> bool:
        """Return whether a file matches. Any file matches `base`; `describe_model` rejects other kinds of files."""
        if not path.is_file():
            return False
        if self.legacy:
            with suppress(OSError, ValueError):
                return has_legacy(path)
            return False
        return self.model_type in ("base", kind_of(path.parent))


def kind_of(folder: Path) -> str | None:
    """Return the kind of models in a folder by its name, `best` or `fast`; None if the name does not tell."""
    kinds = {name: kind for kind, name in _COLLECTIONS.items() if kind != "base"}
    return "fast" if str(folder) in _PACKAGED else kinds.get(folder.name)


def has_legacy(path: Path) -> bool:
    """Return whether a model contains the legacy engine.

    Raises:
        ValueError: If the file is not a model.
        OSError: If the file cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    parts, templates = _HEADER.unpack(header.ljust(_HEADER.size, b"\0"))
    if not 0 < parts <= _MOST_PARTS:
        raise ValueError("it does not begin with a table of contents")
    return bool(templates >= 0)


def find_tessdata(wanted: Wanted, languages: tuple[str, ...]) -> Path:
    """Return the folder that holds models of the wanted kind for all `languages`.

    If a folder is given, only that is searched. Otherwise the search goes through `TESSDATA_PREFIX` (itself, and
    `tessdata` in it), the usual places of Debian, Homebrew and conda, and the folder that `tesseract --list-langs`
    prints. For `best` and `fast`, `tessdata_best` or `tessdata_fast` in and next to each folder is searched, too.

    Raises:
        EnvironmentFault: If no folder holds them all; the remedy is the command that installs them.
    """
    searched: list[Path] = []
    best: tuple[int, Path] | None = None
    for folder in _folders(wanted):
        searched.append(folder)
        have = sum(wanted.accepts(model_path(folder, language)) for language in languages)
        if have == len(languages):
            return folder
        if have or model_path(folder, "eng").is_file():
            best = max(best, (have, folder), key=lambda found: found[0]) if best else (have, folder)
    fullest = best[1] if best else Path(wanted.folder) if wanted.folder else None
    if fullest is None:
        raise EnvironmentFault(
            f"Tesseract's language data was not found in any of {', '.join(map(str, searched))}",
            install_command(languages),
        )
    missing = tuple(name for name in languages if not wanted.accepts(model_path(fullest, name)))
    raise EnvironmentFault(
        f"Tesseract has no {_kind(wanted)}data for language {', '.join(missing)} in {fullest}",
        _remedy(wanted, fullest, missing),
    )


def model_path(folder: Path, language: str) -> Path:
    """Return the path of a language's model in a folder."""
    return folder / f"{language}.traineddata"


def describe_model(path: Path) -> str:
    """Return a model's path, kind and size as text.

    Raises:
        EnvironmentFault: If the file is not a model but, for example, a saved web page.
    """
    try:
        legacy = has_legacy(path)
    except (OSError, ValueError) as error:
        remedy = download_command(path.parent, "fast", (path.stem,))
        raise EnvironmentFault(f"{path} is not a Tesseract model: {error}", remedy) from error
    kind = kind_of(path.parent) or ("LSTM and legacy" if legacy else "LSTM")
    return f"{path} ({kind}, {path.stat().st_size / 1e6:.1f} MB)"


def install_command(languages: tuple[str, ...]) -> str:
    """Return the command that installs language data."""
    packages = ["script-" + name.split("/")[1].lower()[:4] if "/" in name else name for name in languages]
    names = [f"tesseract-ocr-{name.replace('_', '-').lower()}" for name in packages]
    return system_command("tesseract-ocr", *names)


def download_command(folder: Path, model_type: str, languages: tuple[str, ...]) -> str:
    """Return the command that downloads models of one type from Tesseract's repositories into `folder`."""
    collection = _COLLECTIONS[model_type]
    parts = [
        f"-o {shlex.quote(str(model_path(folder, language)))} "
        + _SOURCE.format(collection=collection, language=language)
        for language in languages
    ]
    return f"{'' if _may_write(folder) else 'sudo '}curl -fL --create-dirs {' '.join(parts)}"


def _remedy(wanted: Wanted, folder: Path, missing: tuple[str, ...]) -> str:
    if wanted.legacy:
        target = Path(wanted.folder or "tessdata").absolute()
        note = "" if wanted.folder else f" and set recognize.tessdata to {target}"
        return download_command(target, "base", missing) + note
    named = _COLLECTIONS[wanted.model_type]
    others = any(model_path(folder, name).exists() for name in missing)
    packaged = wanted.model_type == "base" or (wanted.model_type == "fast" and not others)
    if packaged and not wanted.folder:
        return install_command(missing)
    beside = others or not (wanted.folder or folder.name == named)  # never overwrite an existing model
    return download_command(folder.parent / named if beside else folder, wanted.model_type, missing)


def _kind(wanted: Wanted) -> str:
    if wanted.legacy:
        return "legacy-engine "
    return "" if wanted.model_type == "base" else f"`{wanted.model_type}` "


def _may_write(folder: Path) -> bool:
    return os.access(next(place for place in (folder, *folder.parents) if place.exists()), os.W_OK)


def _folders(wanted: Wanted) -> Iterator[Path]:
    """Yield the folders to search, each once."""
    seen: set[Path] = set()
    for base in [Path(wanted.folder)] if wanted.folder else _candidates():
        places = [base]
        if wanted.model_type != "base":
            name = _COLLECTIONS[wanted.model_type]
            places += [base / name, base.parent / name]
        for place in places:
            if place not in seen:
                seen.add(place)
                yield place


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
