"""What a person or a schedule starts. `Stream(config).run()` is the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.api import Stream
    from flows.query import StreamingQuery
    from tasks.config import StreamConfig, build_config

__all__ = ["Stream", "StreamConfig", "StreamingQuery", "build_config"]


def __getattr__(name: str) -> Any:
    if name == "Stream":
        from flows.api import Stream

        return Stream
    if name == "StreamingQuery":
        from flows.query import StreamingQuery

        return StreamingQuery
    if name in __all__:
        import tasks.config

        return getattr(tasks.config, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
