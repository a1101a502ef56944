"""The first use of a model, before any document is seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError


@contextmanager
def first_use(model: str, setting: str) -> Iterator[None]:
    """Takes whatever goes wrong inside for the machine's fault: else every page would be blamed for a wrong model.

    Args:
        model: What is used, such as `the model that finds text`.
        setting: The option that names it.

    Raises:
        EnvironmentFault: For every exception that is none of Inkstream's own.
    """
    try:
        yield
    except InkstreamError:
        raise
    except Exception as error:
        raise EnvironmentFault(
            f"{model} does not work: {type(error).__name__}: {error}", f"set {setting} to another one, or leave it out"
        ) from error
