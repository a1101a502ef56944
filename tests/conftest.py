"""Settings of all tests, and an S3 server for those that need one."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from tests.denied import open_folder  # noqa: F401 - a fixture
from tests.faults.cluster import Cluster
from tests.integration.servers import s3_server
from tests.skipped import pytest_terminal_summary  # noqa: F401 - a hook

# An example's wall time depends more on what else the machine does than on the code.
settings.register_profile("inkstream", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("inkstream")

# A shell ignores SIGINT in what it starts in the background, and so would every process that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


_PREFECT = "tests/integration/prefect_server/"


class _OneServer(LoadFileScheduling):  # type: ignore[misc]
    """A scheduler that gives one process all tests that need the slow Prefect server, and keeps files together."""

    def _split_scope(self, nodeid: str) -> str:
        return _PREFECT if nodeid.startswith(_PREFECT) else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    return _OneServer(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of S3 and SQS, served by moto in a separate process."""
    with s3_server(tmp_path_factory.mktemp("moto") / "log") as address:
        yield f"http://{address}"


def _s3_environment(endpoint: str) -> dict[str, str]:
    """Return the variables that make S3 clients use a server, and nothing of this machine's own settings."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of that server, and set the environment so that others connect to it too."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in _s3_environment(endpoint).items():
        monkeypatch.setenv(name, value)
    forget_connections()
    import boto3
    from botocore.config import Config

    return boto3.client("s3", region_name="us-east-1", config=Config(retries={"max_attempts": 0}))


@pytest.fixture(scope="session")
def scheduler(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a Dask cluster with one worker, which reads and writes that S3 server too."""
    cluster = Cluster(tmp_path_factory.mktemp("dask"), 1, environment=_s3_environment(endpoint))
    yield cluster.address
    cluster.close()


@pytest.fixture
def shared_workers(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process's runs use that cluster instead of starting their own, which takes seconds each time."""
    from inkstream.tasks.work import cluster

    monkeypatch.setattr(cluster, "_own_cluster", lambda _: cluster._given_cluster(scheduler))


@pytest.fixture
def bucket(s3: Any) -> str:
    """Return the name of an empty bucket."""
    name = f"bucket-{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


def forget_connections() -> None:
    """Make the next use of S3 read the environment again."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
