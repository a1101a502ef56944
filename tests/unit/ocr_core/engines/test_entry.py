"""The checks of an engine's entry, and the modules that it requires."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inkstream import Check, EnvironmentFault, checked
from inkstream.ocr_core.engines.ppocr.entry import PPOCR
from inkstream.ocr_core.installation import package_command


def test_a_passed_check_shows_the_value_found() -> None:
    assert checked("model", lambda: 5) == Check("model", True, "5")


def test_a_failed_check_has_the_remedy_and_other_errors_propagate() -> None:
    def missing() -> str:
        raise EnvironmentFault("there is no model", "get it")

    assert checked("model", missing) == Check("model", False, "there is no model", "get it")
    with pytest.raises(ZeroDivisionError):
        checked("model", lambda: 1 / 0)


def test_missing_modules_are_named_with_the_command_that_installs_them() -> None:
    engine = replace(PPOCR, name="acme", requires=("json", "no_such", "nor_such"), install="")
    with pytest.raises(EnvironmentFault, match=r"the engine acme needs .* not installed: no_such, nor_such") as caught:
        engine.require_modules()
    assert caught.value.remedy == package_command("no_such", "nor_such")
    with pytest.raises(EnvironmentFault) as caught:
        replace(engine, install="pip install acme").require_modules()
    assert caught.value.remedy == "pip install acme"
    replace(engine, requires=("json",)).require_modules()
