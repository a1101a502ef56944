"""The first use of an engine, before it sees any document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError


@contextmanager
def first_use(what: str, remedy: str) -> Iterator[None]:
    """Turn any exception of the block into an EnvironmentFault, so that no page is blamed for a wrong model.

    Args:
        what: What is used, such as `the model that finds text`.
        remedy: What to do if it does not work.

    Raises:
        EnvironmentFault: For every exception except Inkstream's own, which pass unchanged.
    """
    try:
        yield
    except InkstreamError:
        raise
    except Exception as error:
        raise EnvironmentFault(f"{what} does not work: {type(error).__name__}: {error}", remedy) from error
