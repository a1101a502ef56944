"""Planners decide what a run does: which files it reads, in which batches, each with the configuration that reads it.

The drain loop is the same for all of them. A planner is a frozen dataclass: its fields are what a person may choose.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import Field, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from inkstream.ocr_core.errors import FailureKind
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Batch, FileVersion, Unsettled
from inkstream.tasks.queries.selection import Chosen, Selection, choose_failed, choose_made_otherwise
from inkstream.tasks.queries.stored_configs import read_again_with
from inkstream.tasks.sinks.delta.engine import needs_delta
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.source.announced import discover_announced
from inkstream.tasks.source.discovery import Discovery, discover
from inkstream.tasks.source.event_source import Announcement
from inkstream.tasks.work.planning import plan_batches, redo_batches

if TYPE_CHECKING:
    from deltalake import DeltaTable


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
    chosen: tuple[Chosen, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one run is to do.

    Attributes:
        looked_at: Number of file versions that were considered.
        work: The batches, in order.
        known: File versions of the source that have rows.
        waiting: Number of new file versions that are left for a later run.
        unsettled: By URL, announced objects that have to wait.
    """

    looked_at: int
    work: tuple[Work, ...]
    known: Sequence[FileVersion] = ()
    waiting: int = 0
    unsettled: Mapping[str, Unsettled] = field(default_factory=dict)


class Planner(Protocol):
    """Decides what a run does."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def kind(self) -> str:
        """The planner's name, by which Prefect's flow for it is found."""

    @property
    def step(self) -> str:
        """The name of its step, as in Prefect's task runs."""

    @property
    def new_files(self) -> bool:
        """Whether it reads files that have no rows yet. Such a run leaves its configuration in the sink."""

    @property
    def expects_failures(self) -> bool:
        """Whether it reads what is known to fail, so that many failures say nothing about the machine."""

    def plan(self, config: StreamConfig, made_by: MadeBy) -> Plan:
        """Look at the source or the table, and decide.

        Args:
            config: The stream's configuration.
            made_by: Returns the `pipeline_id` that new rows would have.

        Raises:
            InkstreamError: If it cannot be found out.
        """


class MadeBy(Protocol):
    """Knows the `pipeline_id` of rows that are made now."""

    def __call__(self, config: StreamConfig) -> frozenset[str]:
        """Return the ids of rows made with a configuration; several where workers have different versions."""


@dataclass(frozen=True, slots=True)
class NewFiles:
    """The planner of `run`: files of the source that have no rows.

    Attributes:
        limit: Number of files at most; None for all.
    """

    kind: ClassVar[str] = "new_files"
    step: ClassVar[str] = "discover"
    new_files: ClassVar[bool] = True
    expects_failures: ClassVar[bool] = False

    limit: int | None = None

    def plan(self, config: StreamConfig, made_by: MadeBy) -> Plan:  # noqa: ARG002 - the protocol's shape
        """List the source and put what is new into batches."""
        return _new_files(discover(config), config, self.limit)


@dataclass(frozen=True, slots=True)
class AnnouncedFiles:
    """The planner of `listen`: objects that events announce and that have no rows.

    Attributes:
        announcements: What the events say.
        removed: URLs of objects whose removal was announced.
    """

    kind: ClassVar[str] = "announced_files"
    step: ClassVar[str] = "discover"
    new_files: ClassVar[bool] = True
    expects_failures: ClassVar[bool] = False

    announcements: Sequence[Announcement]
    removed: Collection[str] = ()

    def plan(self, config: StreamConfig, made_by: MadeBy) -> Plan:  # noqa: ARG002 - the protocol's shape
        """Ask the store what the objects are now, and put the new ones into batches."""
        return _new_files(discover_announced(config, self.announcements, self.removed), config, None)


@dataclass(frozen=True, slots=True)
class FailedPages:
    """The planner of `retry`: the pages that failed, each with the pipeline that its row names.

    Attributes:
        kinds: Which kinds of failure; all when empty.
        paths: Which files, as in `inkstream.tasks.queries.path_patterns`; all when empty.
        overrides: `a.b=value` strings on top of what the pages were read with.
    """

    kind: ClassVar[str] = "failed_pages"
    step: ClassVar[str] = "choose_failed"
    new_files: ClassVar[bool] = False
    expects_failures: ClassVar[bool] = True

    kinds: tuple[FailureKind, ...] = ()
    paths: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()

    def plan(self, config: StreamConfig, made_by: MadeBy) -> Plan:  # noqa: ARG002 - the protocol's shape
        """Choose the failed pages from the table."""
        found = choose_failed(_table(config), config.stream, self.kinds, self.paths)
        configs: dict[str | None, StreamConfig] = {}
        groups: dict[str, tuple[StreamConfig, list[Chosen]]] = {}
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
        paths: Which files, as in `inkstream.tasks.queries.path_patterns`; all when empty.
    """

    kind: ClassVar[str] = "other_pipeline"
    step: ClassVar[str] = "choose_outdated"
    new_files: ClassVar[bool] = False
    expects_failures: ClassVar[bool] = False

    paths: tuple[str, ...] = ()

    def plan(self, config: StreamConfig, made_by: MadeBy) -> Plan:
        """Choose the files from the table."""
        found = choose_made_otherwise(_table(config), config.stream, made_by(config), self.paths)
        return Plan(found.looked_at, tuple(_redo(found, found.files, config)))


def _new_files(found: Discovery, config: StreamConfig, limit: int | None) -> Plan:
    taken = found.files[:limit]
    batches = (
        replace(batch, replacing=found.replacing.intersection(file.path for file in batch.files))
        for batch in cut(taken, config, found.planned_at)
    )
    work = tuple(Work(batch, config) for batch in batches)
    return Plan(found.listed, work, found.known_files, len(found.files) - len(taken), found.unsettled)


def _table(config: StreamConfig) -> DeltaTable:
    if config.sink.format != "delta":
        raise needs_delta(f"a {config.sink.format} sink cannot replace rows")
    return PagesTable(config.sink.url).open()


def _redo(found: Selection, files: Sequence[Chosen], config: StreamConfig) -> list[Work]:
    again = {one.file.key: one.again for one in files if one.again is not None}
    batches = redo_batches(
        cut([one.file for one in files], config, found.planned_at), version=found.version, again=again
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
