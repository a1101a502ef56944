"""Two batches are open at a time: the second begins before the first ends, and neither harms the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inkstream.flows.api import Stream
from inkstream.ocr_core.errors import EnvironmentFault, FailureKind
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.progress import BatchCommitted, BatchDone, Event, Planned, RangeDone
from tests.faults.cluster import Cluster
from tests.faults.conftest import World
from tests.faults.documents import tiny_pdf
from tests.faults.oracle import read_rows

OpenCluster = Callable[..., Cluster]


@pytest.fixture
def open_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenCluster]:
    """Return a function that starts two workers with the poison that its keywords name."""
    clusters: list[Cluster] = []

    def start(allowed_failures: int = 1, **poison: str) -> Cluster:
        monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__PRELOAD", "tests.faults.poison")
        for name, value in poison.items():
            monkeypatch.setenv(f"INKSTREAM_TEST_{name.upper()}", value)
        clusters.append(Cluster(tmp_path, 2, allowed_failures=allowed_failures))
        return clusters[-1]

    yield start
    for cluster in clusters:
        cluster.close()


def _config(world: World, cluster: Cluster, *overrides: str) -> StreamConfig:
    return build_config(
        {
            "source": {"url": str(world.inbox)},
            "trigger": {"max_files_per_trigger": 4},
            "sink": {"url": str(world.sink)},
            "pipeline": {"text_layer": {"mode": "only"}},
            "execution": {"scheduler": cluster.address},
        },
        overrides=overrides,
    )


def _run(config: StreamConfig, *observers: Callable[[Event], None]) -> list[Event]:
    events: list[Event] = []
    with Stream(config, observers=[events.append, *observers]) as stream:
        stream.run()
    return events


def _attempts(events: list[Event]) -> list[str]:
    (planned,) = [event for event in events if isinstance(event, Planned)]
    return [batch.attempt_id for batch in planned.batches]


def _fill(world: World, special: str, at: int, others: int) -> None:
    """Put documents into the source; the special one is planned after `at` others."""
    world.fill(at)
    world.corpus.put(special, tiny_pdf("a page that is treated in its own way"), 1)
    world.fill(others - at, start=at)


def test_the_next_batch_begins_before_the_last_page_of_the_first_is_read(
    world: World, open_cluster: OpenCluster, tmp_path: Path
) -> None:
    """The first batch waits for a page that is released only after every file of the second was read."""
    release = tmp_path / "release"
    cluster = open_cluster(held="slow.pdf", release=str(release))
    _fill(world, "slow.pdf", 1, 11)
    second: set[str] = set()
    events: list[Event] = []

    def let_go(event: Event) -> None:
        events.append(event)
        if isinstance(event, RangeDone) and event.attempt_id == _attempts(events)[1]:
            second.add(event.path)
            if len(second) == 4:
                release.touch()

    _run(_config(world, cluster), let_go)
    first, second_attempt, third = _attempts(events)
    order = [
        event.attempt_id if isinstance(event, RangeDone) else "committed"
        for event in events
        if isinstance(event, RangeDone | BatchCommitted)
    ]
    before = order[: order.index("committed")]
    assert before.count(first) == before.count(second_attempt) == 4
    assert third not in before
    assert [event.batch_id for event in events if isinstance(event, BatchCommitted)] == [0, 1, 2]
    assert [event.attempt_id for event in events if isinstance(event, BatchDone)] == [first, second_attempt, third]
    assert world.judge().clean
    rows = {(row["batch_id"], str(row["path"])[-8:]) for row in read_rows(world.sink)}
    assert (0, "slow.pdf") in rows


def test_without_overlap_a_batch_waits_for_the_previous_one(world: World, open_cluster: OpenCluster) -> None:
    world.fill(12)
    events = _run(_config(world, open_cluster(), "execution.overlap=false"))
    seen = [event.attempt_id for event in events if isinstance(event, RangeDone | BatchDone)]
    changes = [attempt for attempt, before in zip(seen, [None, *seen], strict=False) if attempt != before]
    assert changes == _attempts(events)


def test_a_page_that_kills_workers_is_found_among_the_pages_of_two_batches(
    world: World, open_cluster: OpenCluster
) -> None:
    """It is in the second batch, and ranges of the first batch die with its worker."""
    _fill(world, "poison.pdf", 5, 11)
    events = _run(_config(world, open_cluster(poison="poison.pdf")))
    rows = read_rows(world.sink)
    failed = [(str(row["path"])[-10:], row["exception_kind"]) for row in rows if row["exception_kind"]]
    assert failed == [("poison.pdf", FailureKind.CRASH)]
    assert not world.judge().duplicated
    assert sum(event.files for event in events if isinstance(event, BatchCommitted)) == 12


def test_a_fault_in_the_second_batch_does_not_lose_the_first(
    world: World, open_cluster: OpenCluster, tmp_path: Path
) -> None:
    """The second batch hits a fault of the machine while the first waits for its last page."""
    release = tmp_path / "release"
    cluster = open_cluster(held="slow.pdf", release=str(release), fault="lacking.pdf")
    _fill(world, "slow.pdf", 1, 3)
    world.corpus.put("lacking.pdf", tiny_pdf("never read"), 1)
    world.fill(1, start=3)
    events: list[Event] = []

    def let_go(event: Event) -> None:
        events.append(event)
        if isinstance(event, RangeDone) and event.attempt_id == _attempts(events)[1]:
            release.touch()

    with pytest.raises(EnvironmentFault, match="this machine cannot read that"):
        _run(_config(world, cluster), let_go)
    assert [event.files for event in events if isinstance(event, BatchCommitted)] == [4]
    assert {row["batch_id"] for row in read_rows(world.sink)} == {0}
