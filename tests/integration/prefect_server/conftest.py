"""A real Prefect server, started once for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.conftest import PrefectServer, free_port, prefect_server_in


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with prefect_server_in(tmp_path_factory.mktemp("prefect"), free_port()) as server:
        yield server
