"""Commits on a store that loses replies, and that may also fail a fifth of all requests.

    python -m tests.faults.s3_campaign [--commits 200] [--lost-replies 100] [--streams 2] [--drivers 2] [--ceph]

Several streams fill one table, each with several drivers at once and one file per commit. The rows are made up, so the
time goes into the commit loop, mostly into pauses before a request is repeated. At the end the rows are counted through
the store itself.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.s3_proxy import LOST, Proxy, s3_proxy
from tests.integration.ceph import CephMissingError, ceph_gateway
from tests.integration.servers import s3_server
from tests.integration.test_commit_processes import found_rows, make_config, make_inbox, start, wanted_rows


@dataclass(frozen=True, slots=True)
class S3CampaignOutcome:
    """The result of a campaign.

    Attributes:
        commits: Files of all streams, one per commit.
        lost: Rows that should be there and are not.
        duplicated: Rows that are there more than once, or should not be there.
        outcomes: Number of requests by outcome.
        seconds: Wall time.
    """

    commits: int
    lost: int
    duplicated: int
    outcomes: dict[str, int]
    seconds: float


def run_campaign(
    folder: Path, sink: str, proxy: Proxy, commits: int, *, streams: int = 2, drivers: int = 1
) -> S3CampaignOutcome:
    """Let drivers commit through a proxy, and count the rows without the proxy.

    Args:
        folder: A new folder.
        sink: `s3://bucket/prefix`.
        proxy: Stands between the drivers and the store; this process connects to the store directly.
        commits: Files of all streams, the same number for each.
        streams: Number of streams.
        drivers: Processes per stream.
    """
    started = time.monotonic()
    make_inbox(folder, commits // streams)
    options = [
        [f"sink.url={sink}", "trigger.max_files_per_trigger=1", f"stream=s{number}"] for number in range(streams)
    ]
    environment = {**os.environ, "AWS_ENDPOINT_URL": proxy.endpoint}
    running = [start(folder, *_sets(stream), environment=environment) for stream in options for _ in range(drivers)]
    try:
        for driver in running:
            _, errors = driver.communicate(timeout=1800)
            assert driver.returncode == 0, errors
    finally:
        for driver in running:
            driver.kill()
            driver.communicate()
    lost: Counter[object] = Counter()
    surplus: Counter[object] = Counter()
    for stream in options:
        config = make_config(folder, stream)
        found, wanted = found_rows(config), wanted_rows(config)
        lost.update(wanted - found)
        surplus.update(found - wanted)
    seconds = round(time.monotonic() - started, 1)
    return S3CampaignOutcome(commits, lost.total(), surplus.total(), dict(proxy.outcomes()), seconds)


def _sets(options: Sequence[str]) -> list[str]:
    return [part for option in options for part in ("--set", option)]


@contextmanager
def _store(folder: Path, *, ceph: bool) -> Iterator[dict[str, str]]:
    """Start a store; yield the environment that leads the AWS clients to it."""
    if ceph:
        with ceph_gateway() as gateway:
            yield gateway.environment
        return
    with s3_server(folder / "moto.log") as address:
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
        yield {**keys, "AWS_ENDPOINT_URL": f"http://{address}"}


def main() -> int:
    """Run a campaign on a new store; return 1 if a row was lost or is there twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--lost-replies", type=int, default=100)
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--drivers", type=int, default=2, help="drivers per stream")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ceph", action="store_true", help="use a real Ceph gateway behind the proxy instead of moto")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    try:
        outcome = _run(arguments)
    except CephMissingError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 0
    print(json.dumps(asdict(outcome)))
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(outcome)))
    all_lost = outcome.outcomes.get(LOST) == arguments.lost_replies
    return 0 if all_lost and outcome.lost == outcome.duplicated == 0 else 1


def _run(arguments: argparse.Namespace) -> S3CampaignOutcome:
    options = ("--faults", "--seed", str(arguments.seed), "--lost-replies", str(arguments.lost_replies))
    with tempfile.TemporaryDirectory() as name, _store(Path(name), ceph=arguments.ceph) as environment:
        os.environ.update(environment)
        import boto3

        bucket = f"bucket-{uuid.uuid4().hex}"
        boto3.client("s3").create_bucket(Bucket=bucket)
        with s3_proxy(Path(name), environment["AWS_ENDPOINT_URL"], *options) as proxy:
            sink, several = f"s3://{bucket}/out", {"streams": arguments.streams, "drivers": arguments.drivers}
            return run_campaign(Path(name), sink, proxy, arguments.commits, **several)


if __name__ == "__main__":
    sys.exit(main())
