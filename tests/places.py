"""The folder of the checkout, and the real documents that some tests read if they are present."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def shared(folder: str, pattern: str = "*") -> list[Path]:
    """Return files of the shared folder of real documents; an empty list if there is no such folder."""
    base = Path(os.environ.get("INKSTREAM_SHARED", ROOT.parent / "shared"))
    return sorted(path for path in (base / folder).glob(pattern) if path.is_file())
