"""Seconds to list a bucket of many objects: Inkstream's listing against boto3's and obstore's, on the same keys.

    python -m benchmarks.listing [--keys N] [--rounds N]

The bucket is on a real Ceph gateway that this starts (`tests/integration/ceph.py`), or at AWS_ENDPOINT_URL where that
is set; it is made, and removed with its objects. obstore is no dependency of the project: `pip install obstore`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3

from tasks.config import build_config
from tasks.sources import list_files
from tests.integration.ceph import UNPACKED, ceph_gateway

Lister = Callable[[str], int]
"""Lists the bucket of that name; returns how many objects there are."""


def ours(bucket: str) -> int:
    """File versions, chosen by name and in order of arrival: what a trigger does."""
    config = build_config({"source": {"url": f"s3://{bucket}/inbox"}, "sink": {"url": "memory://listing"}})
    return len(list_files(config.source))


def by_boto3(bucket: str) -> int:
    """The plain pages of `list_objects_v2`, one after another."""
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="inbox/")
    return sum(len(page.get("Contents", ())) for page in pages)


def by_obstore(bucket: str) -> int:
    """The same by a library in Rust."""
    from obstore.store import S3Store

    store = S3Store(bucket, client_options={"allow_http": True})
    return sum(len(chunk) for chunk in store.list("inbox/"))


LISTERS: dict[str, Lister] = {"inkstream": ours, "boto3": by_boto3, "obstore": by_obstore}


def main() -> None:
    """Makes the bucket, lists it in turn by each, and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with _store(), _bucket(arguments.keys) as bucket:
        seconds: dict[str, list[float]] = {name: [] for name in LISTERS}
        for _ in range(arguments.rounds):
            for name, lister in LISTERS.items():
                try:
                    seconds[name].append(_timed(lister, bucket, arguments.keys))
                except ImportError:
                    continue
    base = statistics.median(seconds["boto3"])
    for name, times in seconds.items():
        said = (
            f"{statistics.median(times):6.2f} s, {statistics.median(times) / base:.2f} x boto3"
            if times
            else "not installed"
        )
        print(f"{name:10} {arguments.keys} keys {said}")


def _timed(lister: Lister, bucket: str, keys: int) -> float:
    started = time.perf_counter()
    found = lister(bucket)
    if found != keys:
        raise RuntimeError(f"{found} of {keys} keys were listed")
    return time.perf_counter() - started


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
    s3.create_bucket(Bucket=name)
    names = [f"inbox/{number // 1000:04}/document-{number:08}.pdf" for number in range(keys)]
    with ThreadPoolExecutor(8) as together:
        list(together.map(lambda key: s3.put_object(Bucket=name, Key=key, Body=b"x"), names))
    try:
        yield name
    finally:
        for start in range(0, keys, 1000):
            s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": key} for key in names[start : start + 1000]]})
        s3.delete_bucket(Bucket=name)


if __name__ == "__main__":
    main()
