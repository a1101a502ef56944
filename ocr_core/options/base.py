"""The base classes of all options models."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

_WRITTEN = {"url": "URL", "mb": "MiB", "cpu": "CPU", "ppocr": "PP-OCR", "trocr": "TrOCR"}


def _title(name: str, _field: Any) -> str:
    """Return the label of an option in a form: `max_file_mb` is `Max File MiB`."""
    return " ".join(_WRITTEN.get(word, word.capitalize()) for word in name.split("_"))


class Options(BaseModel):
    """Base of every options model: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", field_title_generator=_title)

    @classmethod
    def option_names(cls) -> tuple[str, ...]:
        """Return the names of all options and sections, for messages that suggest one."""
        return tuple(cls.model_fields)

    @classmethod
    def section_model(cls, name: str) -> type[Options] | None:
        """Return the options class of a section; None if `name` is unknown or is a plain option."""
        field = cls.model_fields.get(name)
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else []
        return next((each for each in candidates if isinstance(each, type) and issubclass(each, Options)), None)


class EngineOptions(Options):
    """Base of an engine's own section in `recognize`, such as `recognize.ppocr`."""
