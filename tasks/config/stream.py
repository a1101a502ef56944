"""`StreamConfig`: the whole configuration of one stream."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from inkstream.ocr_core.options import Options, PipelineOptions
from inkstream.tasks.config.events import EventOptions
from inkstream.tasks.config.execution import ExecutionOptions
from inkstream.tasks.config.sink import SinkOptions
from inkstream.tasks.config.source import SourceOptions, TriggerOptions
from inkstream.tasks.presets import PRESETS

StreamName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]

PresetName = Annotated[str, Field(json_schema_extra={"enum": [*PRESETS]})]
"""The name of a preset; forms show it as a choice."""


class StreamConfig(Options):
    """The whole configuration of one stream."""

    stream: StreamName = Field("main", description="name of the stream; each stream processes a file version once")
    source: SourceOptions = Field(description="where documents arrive")
    trigger: TriggerOptions = Field(TriggerOptions(), description="how large a batch is")
    events: EventOptions = Field(EventOptions(), description="how events announce new objects")
    pipeline: PipelineOptions = Field(PipelineOptions(), description="what happens to a page")
    sink: SinkOptions = Field(description="where the table is stored")
    execution: ExecutionOptions = Field(ExecutionOptions(), description="how pages are processed")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.sink.traits.outlives_process and self.pipeline.draw is not None:
            raise ValueError(
                "pipeline.draw needs a sink in a folder or bucket, because pictures cannot be kept in a memory sink"
            )
        if not self.sink.traits.outlives_process and self.source.clean_source != "off":
            raise ValueError(
                "source.clean_source needs a lasting sink: it would remove files whose text is only in memory"
            )
        if self.execution.recognize_resources:
            _require_line_engine(self.pipeline)
        return self


def _require_line_engine(pipeline: PipelineOptions) -> None:
    from inkstream.ocr_core.engines.registry import LINE_MODES, line_engine_of

    if line_engine_of(pipeline.recognize) is None:
        raise ValueError(
            f"execution.recognize_resources is for engines that read lines, such as {', '.join(LINE_MODES)}; "
            f"pipeline.recognize.engine is {pipeline.recognize.engine}"
        )
