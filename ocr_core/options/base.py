"""What every options model has in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

_WRITTEN = {"url": "URL", "mb": "MiB", "cpu": "CPU", "ppocr": "PP-OCR", "trocr": "TrOCR"}


def _title(name: str, _field: Any) -> str:
    """What a form calls an option: `max_file_mb` is `Max File MiB`."""
    return " ".join(_WRITTEN.get(word, word.capitalize()) for word in name.split("_"))


class Options(BaseModel):
    """Base of every options model: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", field_title_generator=_title)
