"""The cost of listing a bucket with many objects: Inkstream against other libraries on the same keys.

    python -m benchmarks.listing [--keys N] [--rounds N]

Each listing runs in its own process, which reports its seconds, its CPU time and the growth of its memory, all after
it has listed an empty bucket. The bucket is on a real Ceph gateway that this program starts
(`tests/integration/ceph.py`), or at AWS_ENDPOINT_URL if that is set; it is created, and removed with its objects.
obstore is not a dependency of the project: `pip install obstore`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from inkstream.tasks.config import build_config
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores import open_store
from tests.integration.ceph import UNPACKED, ceph_gateway

Lister = Callable[[str], int]
"""Lists the bucket of that name and returns the number of objects."""


def ours(bucket: str) -> int:
    """Count the file versions, selected by name and ordered by arrival, as a trigger lists them."""
    config = build_config({"source": {"url": f"s3://{bucket}/inbox"}, "sink": {"url": "memory://listing"}})
    return len(list_files(config.source))


def by_s3fs(bucket: str) -> int:
    """Count the objects that the store's driver itself lists."""
    return len(open_store("s3", bucket).driver.find(f"{bucket}/inbox", detail=True))


def by_boto3(bucket: str) -> int:
    """Count the objects in the plain pages of `list_objects_v2`."""
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="inbox/")
    return sum(len(page.get("Contents", ())) for page in pages)


def by_obstore(bucket: str) -> int:
    """Count the objects that a library in Rust lists."""
    from obstore.store import S3Store

    store = S3Store(bucket, client_options={"allow_http": True})
    return sum(len(chunk) for chunk in store.list("inbox/"))


_EMPTY = "-empty"
LISTERS: dict[str, Lister] = {"inkstream": ours, "s3fs": by_s3fs, "boto3": by_boto3, "obstore": by_obstore}


def main() -> None:
    """Create the bucket, list it with each library in turn, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--list", nargs=2, metavar=("NAME", "BUCKET"), help="list a bucket once and print what it cost")
    arguments = parser.parse_args()
    if arguments.list:
        print(json.dumps(_cost(LISTERS[arguments.list[0]], arguments.list[1], arguments.keys)))
        return
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in LISTERS}
    with _store(), _bucket(arguments.keys) as bucket:
        for _ in range(arguments.rounds):
            for name, found in costs.items():
                if cost := _apart(name, bucket, arguments.keys):
                    found.append(cost)
    for name, found in costs.items():
        if not found:
            print(f"{name:10} not installed")
            continue
        seconds, processor, mb = (statistics.median(one[what] for one in found) for what in found[0])
        print(
            f"{name:10} {arguments.keys} keys {seconds:7.2f} s, {processor:7.2f} s of CPU, "
            f"{processor / arguments.keys * 1e6:4.0f} us per key, {mb:5.0f} MB"
        )


def _apart(name: str, bucket: str, keys: int) -> dict[str, float] | None:
    """List in a separate process and return the cost; None if the library is not installed."""
    command = [sys.executable, "-m", "benchmarks.listing", "--keys", str(keys), "--list", name, bucket]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "No module named" in done.stderr:
        return None
    done.check_returncode()
    cost: dict[str, float] = json.loads(done.stdout)
    return cost


def _cost(lister: Lister, bucket: str, keys: int) -> dict[str, float]:
    lister(bucket + _EMPTY)
    memory, processor, started = _memory_mb(), time.process_time(), time.perf_counter()
    found = lister(bucket)
    if found != keys:
        raise RuntimeError(f"listed {found} keys instead of {keys}")
    return {
        "seconds": time.perf_counter() - started,
        "processor": time.process_time() - processor,
        "mb": _memory_mb() - memory,
    }


def _memory_mb() -> float:
    """Return the peak memory of this process; `getrusage` would include its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) / 1024


@contextmanager
def _store() -> Iterator[None]:
    if "AWS_ENDPOINT_URL" in os.environ:
        yield
        return
    with ceph_gateway(UNPACKED) as gateway:
        os.environ.update(gateway.environment)
        yield


@contextmanager
def _bucket(keys: int) -> Iterator[str]:
    s3: Any = boto3.client("s3")
    name = f"inkstream-listing-{uuid.uuid4().hex[:8]}"
    for bucket in (name, name + _EMPTY):
        s3.create_bucket(Bucket=bucket)
    names = [f"inbox/{number // 1000:04}/document-{number:08}.pdf" for number in range(keys)]
    with ThreadPoolExecutor(8) as together:
        list(together.map(lambda key: s3.put_object(Bucket=name, Key=key, Body=b"x"), names))
    try:
        yield name
    finally:
        for start in range(0, keys, 1000):
            s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": key} for key in names[start : start + 1000]]})
        for bucket in (name, name + _EMPTY):
            s3.delete_bucket(Bucket=bucket)


if __name__ == "__main__":
    main()
