"""What `retry` and `reprocess` print."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.table import Table

from inkstream.flows.console.run import Words
from inkstream.flows.console.show import table_console
from inkstream.flows.text import plain, print_json, short_name

if TYPE_CHECKING:
    from inkstream.flows.loop.planners import Plan

REDO_WORDS = Words(
    looking="looking for files to read again",
    files="files to read again",
    nothing="nothing to read again",
    left="files could not be read and are left as they were",
)


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Prints which files would be read again, and which of their pages."""
    files = list(_planned(plan))
    if as_json:
        for file in files:
            print_json(file)
        return
    if files:
        shown = Table(pad_edge=False)
        for name in ("file", "pages", "why"):
            shown.add_column(name, overflow="fold")
        for file in files:
            shown.add_row(plain(short_name(file["path"])), _pages(file["pages"]), _why(file))
        table_console().print(shown)
    table_console().print(f"{len(files)} of {plan.looked_at} files would be read again; nothing was changed")


def _planned(plan: Plan) -> Iterator[dict[str, Any]]:
    for item in plan.work:
        for chosen in item.chosen:
            yield {
                "stream": item.batch.stream,
                "path": chosen.file.path,
                "etag": chosen.file.etag,
                "length": chosen.file.size,
                "pages": None if chosen.again is None else list(chosen.again.pages),
                "failures": dict(chosen.kinds),
                "pipeline_id": chosen.pipeline_id,
            }


def _pages(pages: list[int] | None) -> str:
    return "all" if pages is None else ", ".join(map(str, pages))


def _why(file: dict[str, Any]) -> str:
    failures = ", ".join(f"{count} {kind}" for kind, count in file["failures"].items())
    return failures or f"made by {file['pipeline_id'] or 'no pipeline'}"
