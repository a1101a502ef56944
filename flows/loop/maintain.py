"""`maintain`: the steps that tidy a sink, run directly or each as a Prefect task."""

from __future__ import annotations

from dataclasses import dataclass

from inkstream.flows.loop.steps import StepRunner, run_directly
from inkstream.tasks.config import MaintainOptions
from inkstream.tasks.paths import absolute
from inkstream.tasks.sinks.delta.compaction import compact, small_files
from inkstream.tasks.sinks.delta.tables import SinkTable
from inkstream.tasks.sinks.delta.vacuum import Removed, tables_of, vacuum, vacuum_overlays


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done to a part of the sink, or would be.

    Attributes:
        name: `pages`, `files` or `overlays`.
        url: Where it is.
        merged: Files that were merged.
        into: Files that came of them.
        removed: Files that were removed.
        removed_bytes: Their size.
        version: The table's version afterwards; None for overlays.
    """

    name: str
    url: str
    merged: int
    into: int
    removed: int
    removed_bytes: int
    version: int | None


def maintain(sink_url: str, options: MaintainOptions, *, step: StepRunner = run_directly) -> list[Upkeep]:
    """Compacts, checkpoints and vacuums a sink. Streams may go on writing to it meanwhile.

    Args:
        sink_url: The sink's folder or prefix.
        options: How long what is not needed any more is kept, and whether to do it.
        step: How each step is called.

    Raises:
        ConfigError: If there is no table.
        EnvironmentFault: If the sink cannot be read or written from here.
        TransientError: If it should be tried again later; what was done stays.
    """
    root = absolute(sink_url)
    done = [_table(table, options, step) for table in tables_of(root)]
    removed = step(
        "vacuum", "vacuum overlays", lambda: vacuum_overlays(root, options.retention, dry_run=options.dry_run)
    )
    return [*done, Upkeep("overlays", f"{root}/overlays", 0, 0, removed.files, removed.size, None)]


def _table(table: SinkTable, options: MaintainOptions, step: StepRunner) -> Upkeep:
    name = table.url.rpartition("/")[2]

    def compacted() -> tuple[int, int]:
        if options.dry_run:
            groups = small_files(table.open(), options.target_file_mb << 20)
            return sum(len(group) for group in groups), len(groups)
        result = compact(table, options.target_file_mb)
        return result.merged, result.into

    def vacuumed() -> Removed:
        return vacuum(table, options.retention, dry_run=options.dry_run)

    merged, into = step("compact", f"compact {name}", compacted)
    removed = step("vacuum", f"vacuum {name}", vacuumed)
    return Upkeep(name, table.url, merged, into, removed.files, removed.size, table.version())
