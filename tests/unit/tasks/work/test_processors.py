from __future__ import annotations

import os
import sys

import pytest

from inkstream.tasks.work.processors import usable_cpus


@pytest.mark.parametrize("with_dask", [True, False])
def test_only_the_processors_that_this_process_may_use_count(monkeypatch: pytest.MonkeyPatch, with_dask: bool) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    if not with_dask:
        monkeypatch.setitem(sys.modules, "dask.system", None)
    assert usable_cpus() == 1


def test_at_most_the_processors_of_the_machine_count() -> None:
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)
