"""Versions come from the installed packages, and hashes from the current content of files."""

from __future__ import annotations

import hashlib
import os
from importlib import metadata
from pathlib import Path

import pytest

from inkstream.ocr_core.engines.versions import file_hash, package_version


def test_a_changed_file_is_hashed_again(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"one")
    assert file_hash(path) == hashlib.sha256(b"one").hexdigest()[:16]
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert file_hash(path) == hashlib.sha256(b"two").hexdigest()[:16]


def test_a_package_version_comes_from_its_metadata() -> None:
    assert package_version("numpy") == metadata.version("numpy")
    with pytest.raises(metadata.PackageNotFoundError):
        package_version("no-such-package")
