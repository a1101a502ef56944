"""How this copy of Inkstream was installed, and the commands that add to it what is missing.

A clone, a wheel from an index, a wheel from a file or a URL, and the environments of uv and pipx each need another
command. Every message that tells somebody to install something takes it from here.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from inkstream.ocr_core.errors import EnvironmentFault

Extra = Literal["streaming", "prefect", "ppocr", "trocr", "polars", "heif"]

MODULES: dict[Extra, tuple[str, ...]] = {
    "streaming": (
        "distributed",
        "dask",
        "deltalake",
        "pyarrow",
        "fsspec",
        "s3fs",
        "botocore",
        "certifi",
        "tenacity",
        "bracex",
    ),
    "prefect": ("prefect", "fastapi", "sqlalchemy", "psutil"),
    "ppocr": ("rapidocr", "onnxruntime", "cv2", "spellchecker"),
    "trocr": ("torch", "transformers", "sentencepiece"),
    "polars": ("polars",),
    "heif": ("pillow_heif",),
}
"""The modules that each extra of pyproject.toml brings."""

_NAME = "inkstream"


class MissingPackageError(EnvironmentFault, ImportError):
    """Packages of an extra are not installed. It is an ImportError too, for those who import what they may lack."""


def missing_modules(extra: Extra) -> tuple[str, ...]:
    """Return the modules of an extra that are not installed. Nothing is imported."""
    return tuple(name for name in MODULES[extra] if find_spec(name) is None)


def require_extra(extra: Extra, needed_by: str) -> None:
    """Check that the packages of an extra are installed.

    Args:
        extra: The extra.
        needed_by: Who needs it, as the beginning of a sentence.

    Raises:
        MissingPackageError: If one is missing; the remedy is the command that installs the extra.
    """
    missing = missing_modules(extra)
    if missing:
        problem = f"{needed_by} needs Python packages that are not installed: {', '.join(missing)}"
        raise MissingPackageError(problem, install_command(extra))


def install_command(extra: Extra) -> str:
    """Return the command that adds an extra to this copy of Inkstream."""
    prefix = Path(sys.prefix)
    if (prefix / "uv-receipt.toml").is_file():  # `uv tool install` makes the environment anew: keep what it has
        extras = sorted({extra, *(name for name in MODULES if not missing_modules(name))})
        return f"uv tool install {_requirement(','.join(extras))}"
    return f"{_pip_install()} {_requirement(extra)}"


def python_command() -> str:
    """Return the command that starts this environment's Python: `python` if the shell would find this very one."""
    found = shutil.which("python")
    here = Path(sys.executable)
    return "python" if found is not None and Path(found).parent == here.parent else shlex.quote(str(here))


def package_command(*requirements: str) -> str:
    """Return the command that installs packages into this environment."""
    return f"{_pip_install()} {shlex.join(requirements)}"


def upgrade_command() -> str:
    """Return the command that replaces this copy of Inkstream by a newer one."""
    clone = find_clone()
    if clone is not None and (clone / ".git").exists():
        folder = shlex.quote(str(clone))
        return f"git -C {folder} pull && {_pip_install()} -e {folder}"
    origin = clone or _direct_url()
    if origin is not None:
        return f"install a newer version of Inkstream in place of the one from {origin}"
    if (Path(sys.prefix) / "uv-receipt.toml").is_file():
        return f"uv tool upgrade {_NAME}"
    return f"{_pip_install()} --upgrade {_NAME}"


def system_command(*packages: str, again: bool = False) -> str:
    """Return the command that installs packages of the system, or their names where the system is not Debian's.

    Args:
        packages: Debian's names.
        again: They are there and damaged.
    """
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        return f"install {names} (Debian's names) with the package manager of this system"
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt install {'--reinstall ' if again else ''}{names}"


def find_clone() -> Path | None:
    """Return the clone that this copy runs from; None if it was installed as a wheel."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() else None


def _requirement(extras: str) -> str:
    """Return what an installer is asked for: this copy of Inkstream with extras, quoted for a shell."""
    clone = find_clone()
    if clone is not None:
        return f"-e {shlex.quote(f'{clone}[{extras}]')}"
    url = _direct_url()
    if url is None:
        return shlex.quote(f"{_NAME}[{extras}]")
    parts = urlsplit(url)
    if parts.scheme == "file" and not Path(unquote(parts.path)).exists():
        return shlex.join(sorted(set(_requirements_of(extras.split(",")))))  # where it came from is gone
    return shlex.quote(f"{_NAME}[{extras}] @ {url}")


def _direct_url() -> str | None:
    """Return the URL that this copy was installed from; None if it came from an index."""
    try:
        text = metadata.distribution(_NAME).read_text("direct_url.json")
    except metadata.PackageNotFoundError:  # a copy that no installer made
        return None
    if text is None:
        return None
    origin = json.loads(text)
    version_control = origin.get("vcs_info")
    if version_control is None:
        return str(origin["url"])
    revision = version_control.get("requested_revision") or version_control["commit_id"]
    return f"{version_control['vcs']}+{origin['url']}@{revision}"


def _requirements_of(extras: list[str]) -> Iterator[str]:
    """Yield the requirements that extras add, those of the extras they include among them."""
    from packaging.requirements import Requirement

    for line in metadata.requires(_NAME) or ():
        wanted = Requirement(line)
        if wanted.marker is None or not any(wanted.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        if wanted.name == _NAME:
            yield from _requirements_of(sorted(wanted.extras))
        else:
            yield f"{wanted.name}{wanted.specifier}"


def _pip_install() -> str:
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").is_file():
        return f"pipx runpip {prefix.name} install"
    if find_spec("pip") is None and _made_by_uv(prefix):
        return f"uv pip install --python {shlex.quote(sys.executable)}"
    return f"{python_command()} -m pip install"


def _made_by_uv(prefix: Path) -> bool:
    settings = prefix / "pyvenv.cfg"
    return settings.is_file() and any(line.startswith("uv =") for line in settings.read_text("utf-8").splitlines())
