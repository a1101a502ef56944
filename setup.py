"""Stop a build from a copy of the repository that lost its symbolic links. All settings are in `pyproject.toml`."""

from pathlib import Path

from setuptools import setup

for name in ("deployments", "flows", "ocr_core", "tasks"):
    if not Path("src", "inkstream", name, "__init__.py").is_file():
        raise SystemExit(
            f"src/inkstream/{name} is not a link to {name}/: this copy of the repository lost its symbolic links.\n"
            "Clone it with git (core.symlinks=true), or unpack the .tar.gz archive instead of the .zip."
        )

setup()
