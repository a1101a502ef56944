"""What a run needs on this machine, checked one by one."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

from ocr_core.environment import Check, check_environment
from tasks.config import StreamConfig

_PACKAGES = ("prefect", "distributed", "deltalake", "pyarrow", "pypdfium2", "pillow")


def run_checks(config: StreamConfig) -> list[Check]:
    """Returns every check, the ones of the pipeline's engines last."""
    return [_python(), *(_package(name) for name in _PACKAGES), _temporary_space(), *check_environment(config.pipeline)]


def _python() -> Check:
    return Check(
        name="python",
        ok=sys.version_info >= (3, 11),
        detail=sys.version.split()[0],
        remedy="install Python 3.11 or newer",
    )


def _package(name: str) -> Check:
    try:
        return Check(name=name, ok=True, detail=version(name), remedy="")
    except PackageNotFoundError:
        return Check(name=name, ok=False, detail="not installed", remedy="pip install inkstream")


def _temporary_space() -> Check:
    import shutil
    import tempfile

    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    return Check(
        name="temporary space",
        ok=free > 1 << 30,
        detail=f"{free / (1 << 30):.1f} GiB free in {folder}",
        remedy="free some space there, or set TMPDIR to a folder with at least 1 GiB",
    )
