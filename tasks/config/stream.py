"""`StreamConfig`: everything about one stream."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from ocr_core.options import Options, PipelineOptions
from tasks.config.execution import ExecutionOptions
from tasks.config.sink import SinkOptions
from tasks.config.source import SourceOptions, TriggerOptions

StreamName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class StreamConfig(Options):
    """Everything about one stream."""

    stream: StreamName = Field("main", description="name of the stream; a file version is done once per stream")
    source: SourceOptions = Field(description="where documents arrive")
    trigger: TriggerOptions = Field(TriggerOptions(), description="how much makes one batch")
    pipeline: PipelineOptions = Field(PipelineOptions(), description="what happens to a page")
    sink: SinkOptions = Field(description="where the table lives")
    execution: ExecutionOptions = Field(ExecutionOptions(), description="how pages are run")
