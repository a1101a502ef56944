"""Where the shared samples and hostile files are, if they are."""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]


def shared(folder: str, pattern: str = "*") -> list[Path]:
    """Files of the shared material; none where there is none."""
    base = Path(os.environ.get("INKSTREAM_SHARED", _ROOT.parent / "shared"))
    return sorted(path for path in (base / folder).glob(pattern) if path.is_file())
