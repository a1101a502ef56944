"""Real denials of access, for tests that may run as root, whom no permission stops."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_NOBODY = 65534


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Yield a folder that all users may enter; those of `tmp_path` only their owner may."""
    folder = Path(tempfile.mkdtemp(prefix="inkstream-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def as_another_user() -> Iterator[None]:
    """Run a block as a user without privileges, if this process is root; else as the user that it is."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def without_privileges(*command: str) -> list[str]:
    """Return a command that runs another one in which permissions hold, for root too."""
    if os.geteuid() != 0:
        return list(command)
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv, of util-linux")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
