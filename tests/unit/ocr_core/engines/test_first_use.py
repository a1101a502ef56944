"""Any error at an engine's first use is the machine's fault."""

from __future__ import annotations

import pytest

from inkstream import ConfigError, DocumentError, EnvironmentFault, FailureKind, InkstreamError
from inkstream.ocr_core.engines.first_use import first_use


def test_an_exception_is_the_machine_s_fault() -> None:
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
def test_errors_of_inkstream_s_own_pass(error: InkstreamError) -> None:
    with pytest.raises(type(error)) as caught, first_use("the model", "get it"):
        raise error
    assert caught.value is error


def test_an_interrupt_passes() -> None:
    with pytest.raises(KeyboardInterrupt), first_use("the model", "get it"):
        raise KeyboardInterrupt
