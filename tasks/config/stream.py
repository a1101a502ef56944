"""`StreamConfig`: everything about one stream."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from inkstream.ocr_core.options import Options, PipelineOptions
from inkstream.tasks.config.events import EventOptions
from inkstream.tasks.config.execution import ExecutionOptions
from inkstream.tasks.config.sink import SinkOptions
from inkstream.tasks.config.source import SourceOptions, TriggerOptions

StreamName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class StreamConfig(Options):
    """Everything about one stream."""

    stream: StreamName = Field("main", description="name of the stream; a file version is done once per stream")
    source: SourceOptions = Field(description="where documents arrive")
    trigger: TriggerOptions = Field(TriggerOptions(), description="how much makes one batch")
    events: EventOptions = Field(EventOptions(), description="how events announce new objects")
    pipeline: PipelineOptions = Field(PipelineOptions(), description="what happens to a page")
    sink: SinkOptions = Field(description="where the table lives")
    execution: ExecutionOptions = Field(ExecutionOptions(), description="how pages are run")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.sink.format == "memory" and self.pipeline.draw is not None:
            raise ValueError("pipeline.draw needs a sink in a folder or bucket: pictures have no place in memory")
        if self.sink.format == "memory" and self.source.clean_source != "off":
            raise ValueError("source.clean_source would remove files whose text is nowhere but in memory")
        if self.execution.recognize_resources and self.pipeline.recognize.line_reader is None:
            raise ValueError(
                "execution.recognize_resources is for engines that read lines: ppocr, trocr, auto; "
                "pipeline.recognize.engine is tesseract"
            )
        return self
