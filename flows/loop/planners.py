"""Planners decide what a run does: which files it reads, in which batches, each with the configuration that reads it.

The drain loop is the same for all of them. A planner is a frozen dataclass; its fields are the user's choices.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import Field, dataclass, field, replace
from typing import Any, ClassVar, Protocol

from inkstream.ocr_core.errors import FailureKind
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Batch, FileKey, FileVersion, Unsettled
from inkstream.tasks.queries.selection import ChosenFile, ChosenFiles, choose_failed, choose_made_otherwise
from inkstream.tasks.queries.stored_configs import read_again_with
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.sinks.versioned import require_versions
from inkstream.tasks.skipped import Skipped
from inkstream.tasks.source.announced import discover_announced
from inkstream.tasks.source.discovery import Discovery, discover
from inkstream.tasks.source.event_source import Announcement
from inkstream.tasks.work.planning import plan_batches, redo_batches


@dataclass(frozen=True, slots=True)
class Work:
    """One batch, and the configuration it is read with.

    Attributes:
        batch: The batch.
        config: The configuration.
        chosen: Why each file was chosen, if it was chosen from the table.
    """

    batch: Batch
    config: StreamConfig
    chosen: tuple[ChosenFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one run will do.

    Attributes:
        looked_at: Number of file versions that were considered.
        work: The batches, in order.
        known: File versions of the source that have rows.
        waiting: Number of new file versions that are left for a later run.
        unsettled: Announced objects that have to wait, by URL.
        skipped: Counts of the files that the source holds and the plan leaves out, by reason.
        stand_ins: By key, the version with rows that each known file without rows of its own has the bytes of.
    """

    looked_at: int
    work: tuple[Work, ...]
    known: Sequence[FileVersion] = ()
    waiting: int = 0
    unsettled: Mapping[str, Unsettled] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=Skipped)
    stand_ins: Mapping[FileKey, FileVersion] = field(default_factory=dict)


class Planner(Protocol):
    """Decides what a run does."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def kind(self) -> str:
        """The planner's name; `run_planner` finds its Prefect flow by it."""

    @property
    def step(self) -> str:
        """The name of its step, which is also the name of its Prefect task."""

    @property
    def new_files(self) -> bool:
        """Whether it reads files that have no rows yet. If so, the run stores its configuration in the sink."""

    @property
    def expects_failures(self) -> bool:
        """Whether it reads pages that are known to fail, so that many failures do not mean a broken machine."""

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:
        """Return what to read, chosen from the source or the table.

        Args:
            config: The stream's configuration.
            sink: The run's sink.
            made_by: Returns the `pipeline_id` that new rows would have.

        Raises:
            InkstreamError: If the source or the table cannot be read.
        """


class MadeBy(Protocol):
    """A function that returns the `pipeline_id` of new rows."""

    def __call__(self, config: StreamConfig) -> frozenset[str]:
        """Return the ids that a configuration's new rows would have; several if workers have different versions."""


@dataclass(frozen=True, slots=True)
class NewFiles:
    """The planner of `run`: files of the source that have no rows.

    Attributes:
        limit: Maximum number of files; None for all.
    """

    kind: ClassVar[str] = "new_files"
    step: ClassVar[str] = "discover"
    new_files: ClassVar[bool] = True
    expects_failures: ClassVar[bool] = False

    limit: int | None = None

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:  # noqa: ARG002 - the protocol's shape
        """List the source and put the new files into batches."""
        return _new_files(discover(config, sink), config, self.limit)


@dataclass(frozen=True, slots=True)
class AnnouncedFiles:
    """The planner of `listen`: objects that events announce and that have no rows.

    Attributes:
        announcements: The objects that the events announce.
        removed: URLs of objects whose removal was announced.
    """

    kind: ClassVar[str] = "announced_files"
    step: ClassVar[str] = "discover"
    new_files: ClassVar[bool] = True
    expects_failures: ClassVar[bool] = False

    announcements: Sequence[Announcement]
    removed: Collection[str] = ()

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:  # noqa: ARG002 - the protocol's shape
        """Look up the objects in the store, and put the new ones into batches."""
        return _new_files(discover_announced(config, sink, self.announcements, self.removed), config, None)


@dataclass(frozen=True, slots=True)
class FailedPages:
    """The planner of `retry`: the pages that failed, each with the pipeline that its row names.

    Attributes:
        kinds: Only these kinds of failure; all if empty.
        paths: Only these files, as in `inkstream.tasks.queries.path_patterns`; all if empty.
        overrides: `a.b=value` strings, added to the options that the pages were read with.
    """

    kind: ClassVar[str] = "failed_pages"
    step: ClassVar[str] = "choose_failed"
    new_files: ClassVar[bool] = False
    expects_failures: ClassVar[bool] = True

    kinds: tuple[FailureKind, ...] = ()
    paths: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:  # noqa: ARG002 - the protocol's shape
        """Choose the failed pages from the table."""
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
    """The planner of `reprocess`: files whose rows were made by another pipeline than the one configured now.

    Attributes:
        paths: Only these files, as in `inkstream.tasks.queries.path_patterns`; all if empty.
    """

    kind: ClassVar[str] = "other_pipeline"
    step: ClassVar[str] = "choose_outdated"
    new_files: ClassVar[bool] = False
    expects_failures: ClassVar[bool] = False

    paths: tuple[str, ...] = ()

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:
        """Choose the files from the table."""
        found = choose_made_otherwise(require_versions(sink).snapshot(), config.stream, made_by(config), self.paths)
        return Plan(found.looked_at, tuple(_redo(found, found.files, config)))


def _new_files(found: Discovery, config: StreamConfig, limit: int | None) -> Plan:
    taken = found.files[:limit]
    work = tuple(Work(_of_new_files(batch, found), config) for batch in cut(taken, config, found.planned_at))
    waiting = len(found.files) - len(taken)
    return Plan(found.listed, work, found.known_files, waiting, found.unsettled, found.skipped, found.stand_ins)


def _of_new_files(batch: Batch, found: Discovery) -> Batch:
    """Return a batch with what the plan knows about other versions of its files."""
    paths = {file.path for file in batch.files}
    possible = {path: found.possibly_unchanged[path] for path in paths & found.possibly_unchanged.keys()}
    return replace(batch, replacing=found.replacing & paths, possibly_unchanged=possible)


def _redo(found: ChosenFiles, files: Sequence[ChosenFile], config: StreamConfig) -> list[Work]:
    again = {one.file.key: one.again for one in files if one.again is not None}
    batches = redo_batches(
        cut([one.file for one in files], config, found.planned_at),
        version=found.version,
        again=again,
        content_hashes={one.file.key: one.content_hash for one in files if one.content_hash is not None},
    )
    why = {one.file.key: one for one in files}
    return [Work(batch, config, tuple(why[file.key] for file in batch.files)) for batch in batches]


def cut(files: Sequence[FileVersion], config: StreamConfig, planned_at: int) -> list[Batch]:
    """Cut files into batches by the configuration's caps, each with a new attempt id."""
    return plan_batches(
        files,
        stream=config.stream,
        trigger=config.trigger,
        planned_at=planned_at,
        new_attempt_id=lambda: uuid.uuid4().hex,
    )
