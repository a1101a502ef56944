"""An unexpected error at an engine's first use is an environment fault."""

from __future__ import annotations

import pytest

from inkstream import ConfigError, DocumentError, EnvironmentFault, FailureKind, InkstreamError
from inkstream.ocr_core.engines.first_use import first_use


def test_an_unexpected_exception_is_an_environment_fault() -> None:
    with (
        pytest.raises(EnvironmentFault, match="the model does not work: ZeroDivisionError") as caught,
        first_use("the model", "get it"),
    ):
        _ = 1 / 0
    assert caught.value.remedy == "get it"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    "error", [ConfigError("no"), DocumentError(FailureKind.LIMIT, "no"), EnvironmentFault("no", "x")]
)
def test_errors_of_inkstream_propagate_unchanged(error: InkstreamError) -> None:
    with pytest.raises(type(error)) as caught, first_use("the model", "get it"):
        raise error
    assert caught.value is error


def test_an_interrupt_propagates() -> None:
    with pytest.raises(KeyboardInterrupt), first_use("the model", "get it"):
        raise KeyboardInterrupt
