"""Pure functions that divide files into batches, and pages into ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from inkstream.ocr_core.grouping import groups_within
from inkstream.tasks.config import TriggerOptions
from inkstream.tasks.model import Batch, FileKey, FileVersion, PagesAgain, Redo


def plan_batches(
    files: Sequence[FileVersion],
    *,
    stream: str,
    trigger: TriggerOptions,
    planned_at: int,
    new_attempt_id: Callable[[], str],
) -> list[Batch]:
    """Divide files into batches, in order, each within the trigger's limits.

    A batch has at least one file, so a file over the byte limit gets its own batch.

    Args:
        files: New file versions in processing order.
        stream: The stream they belong to.
        trigger: The limits.
        planned_at: Transaction version of the snapshot that the files were compared with.
        new_attempt_id: Returns a new random id for each batch.
    """
    return [
        Batch(stream=stream, attempt_id=new_attempt_id(), files=tuple(group), planned_at=planned_at)
        for group in groups_within(
            files, lambda file: file.size, trigger.max_bytes_per_trigger, trigger.max_files_per_trigger
        )
    ]


def redo_batches(
    batches: Sequence[Batch],
    *,
    version: int,
    again: Mapping[FileKey, PagesAgain],
    content_hashes: Mapping[FileKey, str] | None = None,
) -> list[Batch]:
    """Turn planned batches into batches that replace the existing rows of their files.

    Args:
        batches: Files that have rows already.
        version: Table version that they were planned from.
        again: Pages to read again, by file. A file without an entry is read whole.
        content_hashes: SHA-256 of the bytes that the rows were read from, by file, where known.
    """
    hashes = content_hashes or {}
    return [
        replace(
            batch,
            redo=Redo(
                version,
                {i: again[file.key] for i, file in enumerate(batch.files) if file.key in again},
                {i: hashes[file.key] for i, file in enumerate(batch.files) if file.key in hashes},
            ),
        )
        for batch in batches
    ]


def page_runs(pages: Sequence[int], longest: int) -> list[range]:
    """Divide page numbers in rising order into ranges without gaps, of at most `longest` pages."""
    runs: list[range] = []
    for page in pages:
        if runs and page == runs[-1].stop and len(runs[-1]) < longest:
            runs[-1] = range(runs[-1].start, page + 1)
        else:
            runs.append(range(page, page + 1))
    return runs


def page_ranges(pages: Sequence[int], pages_per_range: int) -> list[Sequence[int]]:
    """Divide pages into groups of at most `pages_per_range`, in order."""
    return [pages[start : start + pages_per_range] for start in range(0, len(pages), pages_per_range)]
