"""Makes fresh environments with a wheel of Inkstream and its dependencies, without a download.

The dependencies are links to this environment's distributions. An environment without an extra has none of the extra's
packages, so an unguarded import fails there as it would on a user's machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


class FreshEnvironment:
    """A virtual environment with a wheel and its dependencies.

    Args:
        folder: Where to make it.
        wheel: The wheel of Inkstream.
        extras: Its extras to install.
    """

    def __init__(self, folder: Path, wheel: Path, extras: Iterable[str] = ()) -> None:
        self._folder = folder
        venv.create(folder, with_pip=False, symlinks=True)
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet"]
        subprocess.run([*pip, "--no-index", "--no-deps", "--no-compile", str(wheel)], check=True)
        (self.site,) = (folder / "lib").glob("python*/site-packages")
        (installed,) = metadata.distributions(name="inkstream", path=[str(self.site)])
        self.distributions = _closure(installed, frozenset(extras))
        for distribution in self.distributions.values():
            _link(distribution, self.site)

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self._folder / "bin" / "python"

    @property
    def command(self) -> Path:
        """The environment's `inkstream`."""
        return self._folder / "bin" / "inkstream"

    def megabytes(self) -> float:
        """Return the size of the wheel's own files and those of its dependencies in MB, without compiled bytecode."""
        installed = metadata.distributions(path=[str(self.site)], name="inkstream")
        files = (file for each in (*installed, *self.distributions.values()) for file in each.files or ())
        return sum(file.size or 0 for file in files if "__pycache__" not in file.parts) / 1e6

    def variables(self, **more: str) -> dict[str, str]:
        """Return environment variables that activate this environment and do not lead to the checkout."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PREFECT_", "VIRTUAL_"))
        }
        return {**kept, "PATH": f"{self._folder / 'bin'}{os.pathsep}{os.environ['PATH']}", **more}


def _closure(package: metadata.Distribution, extras: frozenset[str]) -> dict[str, metadata.Distribution]:
    """Return the distributions of this environment that a package with extras needs, by name."""
    found: dict[str, metadata.Distribution] = {}
    done: dict[str, frozenset[str]] = {}
    waiting = [(package, extras)]
    while waiting:
        distribution, wanted = waiting.pop()
        for line in distribution.requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
                continue
            name = canonicalize_name(requirement.name)
            with_extras = done.get(name, frozenset()) | requirement.extras
            if name in done and with_extras == done[name]:
                continue
            done[name] = with_extras
            if name == canonicalize_name(package.name):
                waiting.append((package, with_extras))
                continue
            found[name] = metadata.distribution(name)
            waiting.append((found[name], with_extras))
    return found


def _link(distribution: metadata.Distribution, site: Path) -> None:
    """Link a distribution's files, without its commands, into another environment."""
    tops = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
    for top in tops:
        link = site / top
        if not link.exists():
            link.symlink_to(str(distribution.locate_file(top)))
