"""`maintain` compacts, checkpoints and vacuums a sink, each step directly or as a Prefect task."""

from __future__ import annotations

from dataclasses import dataclass, field

from inkstream.flows.loop.steps import StepRunner, run_directly
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import MaintainOptions
from inkstream.tasks.paths import absolute
from inkstream.tasks.queries.stored_configs import stored_streams
from inkstream.tasks.sinks.opening import open_existing
from inkstream.tasks.sinks.overlays import vacuum_overlays
from inkstream.tasks.sinks.versioned import MaintainedTable, VersionedSink, require_versions


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done to one part of the sink, or would be done in a dry run.

    Attributes:
        name: `pages`, `files` or `overlays`; `check` for what was damaged.
        url: URL of the part.
        merged: Number of merged files.
        into: Number of files they became.
        removed: Number of removed files.
        removed_bytes: Their size.
        version: The table's version afterwards; None for overlays and for `check`.
        problems: What was damaged: by a power cut, a restored backup or the disk.
    """

    name: str
    url: str
    merged: int
    into: int
    removed: int
    removed_bytes: int
    version: int | None
    problems: list[str] = field(default_factory=list)


def maintain(sink_url: str, options: MaintainOptions, *, step: StepRunner = run_directly) -> list[Upkeep]:
    """Check, compact, checkpoint and vacuum a sink. Streams may write to the sink meanwhile.

    Args:
        sink_url: The sink's folder or prefix.
        options: How long files that are no longer needed are kept, and whether anything is changed.
        step: Calls each step.

    Raises:
        ConfigError: If there is no table, or the sink keeps no versions.
        EnvironmentFault: If the sink cannot be read or written from here.
        TransientError: If the maintenance should be tried again later; what was done stays.
    """
    sink = require_versions(open_existing(absolute(sink_url)))
    if not sink.tables():
        raise ConfigError(f"there is no table at {sink.url}; `inkstream run` makes it")
    problems = step("check", "check the tables", lambda: _problems(sink, options))
    checked = [Upkeep("check", sink.sink_url, 0, 0, 0, 0, None, problems)] if problems or options.check else []
    if problems and options.dry_run:
        return checked
    done = [_table(table, options, step) for table in sink.tables()]
    removed = step(
        "vacuum", "vacuum overlays", lambda: vacuum_overlays(sink, options.retention, dry_run=options.dry_run)
    )
    return [*checked, *done, Upkeep("overlays", f"{sink.sink_url}/overlays", 0, 0, removed.files, removed.size, None)]


def _problems(sink: VersionedSink, options: MaintainOptions) -> list[str]:
    """Repair what is damaged (in a dry run, only look), and return a sentence for each thing that was."""
    problems: list[str] = []
    for number, stream in enumerate(stored_streams(sink.sink_url) or ["main"]):
        thorough = options.check and not number
        problems += sink.recover(stream, thorough=thorough, dry_run=options.dry_run)
    return list(dict.fromkeys(problems))


def _table(table: MaintainedTable, options: MaintainOptions, step: StepRunner) -> Upkeep:
    merge = table.mergeable if options.dry_run else table.compact
    merged = step("compact", f"compact {table.name}", lambda: merge(options.target_file_mb))
    removed = step("vacuum", f"vacuum {table.name}", lambda: table.vacuum(options.retention, dry_run=options.dry_run))
    return Upkeep(table.name, table.url, merged.merged, merged.into, removed.files, removed.size, table.version())
