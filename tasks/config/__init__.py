"""`StreamConfig`: the YAML file, the Python API, the command line and the Prefect form, said once."""

from tasks.config.build import build_config, load_document
from tasks.config.durations import Duration, parse_duration
from tasks.config.execution import ExecutionOptions
from tasks.config.presets import PRESETS
from tasks.config.sink import SinkOptions
from tasks.config.source import SourceOptions, TriggerOptions
from tasks.config.stream import StreamConfig, StreamName

__all__ = [
    "PRESETS",
    "Duration",
    "ExecutionOptions",
    "SinkOptions",
    "SourceOptions",
    "StreamConfig",
    "StreamName",
    "TriggerOptions",
    "build_config",
    "load_document",
    "parse_duration",
]
