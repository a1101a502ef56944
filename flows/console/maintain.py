"""What `inkstream maintain` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from inkstream.flows.console.terminal import Terminal
from inkstream.flows.text import counted, human_bytes, print_json, visible

if TYPE_CHECKING:
    from inkstream.flows.loop.maintain import Upkeep
    from inkstream.flows.under_prefect.settings import PrefectMode
    from inkstream.tasks.config import MaintainOptions


def print_maintain(sink: str, options: MaintainOptions, prefect: PrefectMode, *, as_json: bool) -> None:
    """Maintain a sink and print what was done, or with `options.dry_run` what would be done."""
    from inkstream.flows.under_prefect.settings import goes_through_prefect, use_embedded_server

    if prefect == "on":
        use_embedded_server()
    if goes_through_prefect(prefect):
        from inkstream.flows.under_prefect.maintain_sink import maintain_under_prefect

        parts = maintain_under_prefect(sink, options)
    else:
        from inkstream.flows.loop.maintain import maintain

        parts = maintain(sink, options)
    console = Terminal(highlight=False, soft_wrap=True)
    for part in parts:
        if as_json:
            print_json({**asdict(part), "dry_run": options.dry_run})
        else:
            console.print(_sentence(part, options.dry_run), markup=False)


def _sentence(part: Upkeep, dry_run: bool) -> str:
    if part.name == "check":
        return "\n".join(f"check: {visible(problem)}" for problem in part.problems) or "check: nothing is damaged"
    facts = []
    if part.version is not None:
        merge = "would merge" if dry_run else "merged"
        merged = f"{merge} {counted(part.merged, 'file')} into {part.into}"
        facts.append(merged if part.merged else "nothing to merge")
    remove = "would remove" if dry_run else "removed"
    removed = f"{remove} {counted(part.removed, 'file')} ({human_bytes(part.removed_bytes)})"
    facts.append(removed if part.removed else "nothing to remove")
    if part.version is not None and not dry_run:
        facts.append(f"version {part.version}, with a checkpoint")
    return f"{part.name}: {'; '.join(facts)}"
