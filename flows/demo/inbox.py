"""The demo's inbox: five documents that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from inkstream.tasks.whole_files import write_whole

NAMES = ("invoice-scan.pdf", "minutes-2026-11.pdf", "receipt.jpg", "letter.png", "damaged.pdf")
"""Two scanned pages, two born-digital pages, a photograph, a scan, and an upload that broke off half way."""


def make_inbox(folder: Path) -> list[Path]:
    """Write the demo's five documents into a folder, which is made if it does not exist.

    A document that is already there is left alone: rewriting it would make it a new version of the file.

    Returns:
        The five paths, existing ones included.
    """
    documents = resources.files("inkstream.flows.demo") / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in NAMES]
    for path in paths:
        if not path.exists():
            write_whole(path, (documents / path.name).read_bytes())
    return paths
