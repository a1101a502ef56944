"""`Stream`: planners that users write, and unknown Prefect modes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from inkstream.flows.api import Stream
from inkstream.flows.loop.planners import MadeBy, NewFiles, Plan
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.sinks.sink import Sink
from tests.faults.documents import tiny_pdf

pytestmark = pytest.mark.usefixtures("shared_workers")


@dataclass(frozen=True, slots=True)
class UrgentFiles:
    """A planner that a user wrote: only new files with a prefix."""

    kind: ClassVar[str] = "urgent_files"
    step: ClassVar[str] = "discover"
    new_files: ClassVar[bool] = True
    expects_failures: ClassVar[bool] = False

    prefix: str

    def plan(self, config: StreamConfig, sink: Sink, made_by: MadeBy) -> Plan:
        whole = NewFiles().plan(config, sink, made_by)
        chosen = [item for item in whole.work if f"/{self.prefix}" in item.batch.files[0].path]
        return replace(whole, work=tuple(chosen))


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    (tmp_path / "inbox").mkdir()
    for name in ("urgent.pdf", "later.pdf"):
        (tmp_path / "inbox" / name).write_bytes(tiny_pdf(f"the text of {name}"))
    return build_config(
        {
            "source": {"url": str(tmp_path / "inbox")},
            "sink": {"url": str(tmp_path / "tables")},
            "trigger": {"max_files_per_trigger": 1},
            "pipeline": {"text_layer": {"mode": "only"}},
            "execution": {"workers": 1},
        }
    )


def test_a_planner_written_by_a_user_decides_what_is_read(config: StreamConfig) -> None:
    with Stream(config) as stream:
        planned = stream.plan(UrgentFiles("urgent"))
        assert (planned.looked_at, len(planned.work)) == (2, 1)
        assert stream.drain(UrgentFiles("urgent")).files == 1
        assert stream.table(["text"]).to_pylist() == [{"text": "the text of urgent.pdf"}]
        assert stream.run().files == 1


def test_an_unknown_prefect_mode_is_refused(config: StreamConfig) -> None:
    with pytest.raises(ConfigError, match="use one of auto, on, off"):
        Stream(config, prefect="yes")  # type: ignore[arg-type]
