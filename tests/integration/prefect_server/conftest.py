"""A real Prefect server, started once for the tests of this folder; afterwards it would still be busy, so it stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import PrefectServer, free_port, prefect_server_in


@pytest.fixture(scope="package")
def prefect_server(
    tmp_path_factory: pytest.TempPathFactory, prefect_home: Callable[[Path], Path]
) -> Iterator[PrefectServer]:
    with prefect_server_in(prefect_home(tmp_path_factory.mktemp("prefect")), free_port()) as server:
        yield server
