"""What a run does: which files it reads, in which batches, each with the configuration that reads it.

The drain loop is the same for all of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Batch, FileVersion
from inkstream.tasks.queries.selection import ChosenFile, ChosenFiles, choose_failed, choose_made_otherwise
from inkstream.tasks.queries.stored_configs import read_again_with
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.sinks.versioned import require_versions
from inkstream.tasks.source.announced import Unsettled, discover_announced
from inkstream.tasks.source.discovery import Discovery, discover
from inkstream.tasks.source.notifications import Announcement
from inkstream.tasks.work.planning import plan_batches, redo_batches


@dataclass(frozen=True, slots=True)
class Work:
    """One batch, and the configuration it is read with.

    Attributes:
        batch: The batch.
        config: The configuration.
        chosen: Why each file was chosen, where it was chosen from the table.
    """

    batch: Batch
    config: StreamConfig
    chosen: tuple[ChosenFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one run is to do.

    Attributes:
        looked_at: File versions that were considered.
        work: The batches, in order.
        known: File versions of the source that have rows.
        waiting: New file versions that are left for a later run.
    """

    looked_at: int
    work: tuple[Work, ...]
    known: Sequence[FileVersion] = ()
    waiting: int = 0


class Planner(Protocol):
    """Decides what a run does.

    Attributes:
        step: The name of its step.
        new_files: Whether it reads files that have no rows yet. Such a run leaves its configuration in the sink.
        expects_failures: Whether it reads what is known to fail, so that many failures say nothing of the machine.
    """

    @property
    def step(self) -> str:
        """The name of its step, as in Prefect's task runs."""

    @property
    def new_files(self) -> bool:
        """Whether it reads files that have no rows yet."""

    @property
    def expects_failures(self) -> bool:
        """Whether it reads what is known to fail."""

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:
        """Looks at the world and decides.

        Args:
            config: The stream's configuration.
            sink: The run's sink.
            made_by: Tells what the rows would say that made them.

        Raises:
            InkstreamError: If it cannot be found out.
        """


class MadeBy(Protocol):
    """Tells the `pipeline_id` that rows made now with a configuration have; one for each kind of worker."""

    def __call__(self, config: StreamConfig) -> frozenset[str]:
        """Returns the ids."""


@dataclass(frozen=True, slots=True)
class NewFiles:
    """The planner of `run`: what is in the source and has no rows.

    Attributes:
        limit: How many files at most; None for all.
    """

    limit: int | None = None
    step: str = "discover"
    new_files: bool = True
    expects_failures: bool = False

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:  # noqa: ARG002 - the protocol's shape
        """Lists the source and puts what is new into batches."""
        return _new_files(discover(config, sink), config, self.limit)


@dataclass(slots=True)
class AnnouncedFiles:
    """The planner of `listen`: what events announce and has no rows.

    Attributes:
        announcements: What they announce.
        removed: URLs of objects whose removal was announced.
        unsettled: After `plan`, by URL, what of it has to wait, and why.
    """

    announcements: Sequence[Announcement]
    removed: Collection[str] = ()
    unsettled: dict[str, Unsettled] = field(default_factory=dict)
    step: str = "discover"
    new_files: bool = True
    expects_failures: bool = False

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:  # noqa: ARG002 - the protocol's shape
        """Asks the store for what is there now, and puts what is new of it into batches."""
        found, self.unsettled = discover_announced(config, sink, self.announcements, self.removed)
        return _new_files(found, config, None)


@dataclass(frozen=True, slots=True)
class FailedPages:
    """The planner of `retry`: the pages that failed, each with the pipeline that its row names.

    Attributes:
        kinds: Which kinds of failure; all when empty.
        paths: Which files, as in `inkstream.tasks.queries.path_patterns`; all when empty.
        overrides: `a.b=value` strings on top of what the pages were read with.
    """

    kinds: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    step: str = "choose_failed"
    new_files: bool = False
    expects_failures: bool = True

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:  # noqa: ARG002 - the protocol's shape
        """Looks into the table."""
        found = choose_failed(require_versions(sink).snapshot(), config.stream, self.kinds, self.paths)
        configs: dict[str | None, StreamConfig] = {}
        groups: dict[str, tuple[StreamConfig, list[ChosenFile]]] = {}
        for one in found.files:
            if one.pipeline_id not in configs:
                configs[one.pipeline_id] = read_again_with(config, one.pipeline_id, self.overrides)
            with_it = configs[one.pipeline_id]
            groups.setdefault(with_it.pipeline.canonical(), (with_it, []))[1].append(one)
        work = [item for with_it, files in groups.values() for item in _redo(found, files, with_it)]
        return Plan(found.looked_at, tuple(work))


@dataclass(frozen=True, slots=True)
class OtherPipeline:
    """The planner of `reprocess`: files with rows that another pipeline made than the one configured now.

    Attributes:
        paths: Which files, as in `inkstream.tasks.queries.path_patterns`; all when empty.
    """

    paths: tuple[str, ...] = ()
    step: str = "choose_outdated"
    new_files: bool = False
    expects_failures: bool = False

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:
        """Looks into the table."""
        found = choose_made_otherwise(require_versions(sink).snapshot(), config.stream, made_by(config), self.paths)
        return Plan(found.looked_at, tuple(_redo(found, found.files, config)))


def _new_files(found: Discovery, config: StreamConfig, limit: int | None) -> Plan:
    taken = found.files[:limit]
    batches = (
        replace(batch, replacing=found.replacing.intersection(file.path for file in batch.files))
        for batch in cut(taken, config, found.planned_at)
    )
    work = tuple(Work(batch, config) for batch in batches)
    return Plan(found.listed, work, found.known_files, waiting=len(found.files) - len(taken))


def _redo(found: ChosenFiles, files: Sequence[ChosenFile], config: StreamConfig) -> list[Work]:
    again = {one.file.key: one.again for one in files if one.again is not None}
    batches = redo_batches(
        cut([one.file for one in files], config, found.planned_at), version=found.version, again=again
    )
    why = {one.file.key: one for one in files}
    return [Work(batch, config, tuple(why[file.key] for file in batch.files)) for batch in batches]


def cut(files: Sequence[FileVersion], config: StreamConfig, planned_at: int) -> list[Batch]:
    """Cuts files into batches by the configuration's caps, each with a fresh attempt id."""
    return plan_batches(
        files,
        stream=config.stream,
        trigger=config.trigger,
        planned_at=planned_at,
        new_attempt_id=lambda: uuid.uuid4().hex,
    )
