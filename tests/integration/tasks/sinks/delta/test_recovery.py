"""What a power cut leaves of a sink is repaired or refused: nothing acknowledged is lost, no page is there twice."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.sinks.delta.compaction import compact
from inkstream.tasks.sinks.delta.log import added
from inkstream.tasks.sinks.delta.recovery import KEPT
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable
from inkstream.tasks.sinks.opening import open_sink
from tests.integration.committing import discover, project_ledger
from tests.integration.test_commit_processes import (
    commit,
    drive,
    found_rows,
    make_config,
    make_inbox,
    plan,
    wanted_rows,
)

FILES = 14
STATES = ("intact", "missing", "empty", "short", "zeros")


@dataclass(frozen=True)
class Written:
    """A sink with one commit for each file.

    Attributes:
        config: Its stream.
        history: By number of commits, the bytes of every file in the sink after that commit and its ledger entry.
    """

    config: StreamConfig
    history: list[dict[str, bytes]]


def contents(sink: Path) -> dict[str, bytes]:
    return {str(path.relative_to(sink)): path.read_bytes() for path in sink.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("written")
    make_inbox(folder, FILES)
    config = make_config(folder, max_files_per_trigger=1)
    history: list[dict[str, bytes]] = [{}]
    for batch in plan(config):
        commit(config, batch)
        project_ledger(config)
        history.append(contents(Path(config.sink.url)))
    return Written(config, history)


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    """A stream whose files are all committed, in batches of five."""
    make_inbox(tmp_path, FILES)
    config = make_config(tmp_path)
    drive(config, "")
    return config


def recover(config: StreamConfig, *, thorough: bool = False) -> list[str]:
    return list(open_sink(config.sink).recover(config.stream, thorough=thorough))


def torn(data: bytes, state: str) -> bytes | None:
    """Return what a file system may bring back of a file that was not synced; None for nothing."""
    half = data[: len(data) // 2]
    zeros = half + bytes(len(data) - len(half))
    return {"intact": data, "missing": None, "empty": b"", "short": half, "zeros": zeros}[state]


def make_whole(config: StreamConfig) -> None:
    """Run the stream as after a crash, and check that every page is there once."""
    for batch in plan(config):
        commit(config, batch)
        project_ledger(config)
    assert found_rows(config) == wanted_rows(config)
    assert recover(config) == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_a_power_cut_leaves_of_commits_that_were_not_durable(written: Written, data: st.DataObject) -> None:
    """Of the files that were made or changed after the last durable commit, each may be torn in any way."""
    durable = data.draw(st.integers(0, FILES - 1), label="durable commits")
    visible = data.draw(st.integers(durable, min(FILES, durable + 3)), label="visible commits")
    before, after = written.history[durable], written.history[visible]
    changed = {name: content for name, content in after.items() if before.get(name) != content}
    drawn = data.draw(st.lists(st.sampled_from(STATES), min_size=len(changed), max_size=len(changed)), label="torn")
    with tempfile.TemporaryDirectory() as folder:
        config = moved(written.config, Path(folder))
        put(Path(folder) / "tables", before, {})
        acknowledged = found_rows(config) if durable else {}
        put(Path(folder) / "tables", changed, dict(zip(sorted(changed), drawn, strict=True)))
        recover(config)
        left = found_rows(config) if PagesTable(config.sink.url).exists() else {}
        assert set(acknowledged) <= set(left)
        assert all(count == 1 for count in left.values())
        assert len(discover(config).files) == FILES - len(left) // 2
        make_whole(config)


def moved(config: StreamConfig, folder: Path) -> StreamConfig:
    """Return the configuration with its sink in another folder."""
    return config.model_copy(update={"sink": config.sink.model_copy(update={"url": str(folder / "tables")})})


def put(sink: Path, files: dict[str, bytes], states: dict[str, str]) -> None:
    for name, content in files.items():
        left = torn(content, states.get(name, "intact"))
        path = sink / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if left is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(left)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_sink_without_syncs_is_repaired_or_refused(written: Written, data: st.DataObject) -> None:
    """Any file of it may be torn, as in sinks of versions that made nothing durable. A thorough check finds it."""
    after = written.history[data.draw(st.integers(1, FILES), label="visible commits")]
    chosen = st.dictionaries(st.sampled_from(sorted(after)), st.sampled_from(STATES[1:]), min_size=1, max_size=4)
    states = data.draw(chosen, label="torn")
    with tempfile.TemporaryDirectory() as folder:
        config = moved(written.config, Path(folder))
        put(Path(folder) / "tables", after, states)
        try:
            recover(config, thorough=True)
        except EnvironmentFault as fault:
            remedy = fault.remedy
        else:
            make_whole(config)
            return
    assert "backup" in remedy


def newest(table: str, pattern: str) -> Path:
    return sorted(Path(table).glob(pattern))[-1]


@pytest.mark.parametrize("state", STATES[1:])
@pytest.mark.parametrize("pattern", ["_delta_log/*.json", "*.parquet"])
def test_a_torn_commit_is_taken_back_and_its_documents_are_read_again(
    config: StreamConfig, pattern: str, state: str
) -> None:
    pages = Path(PagesTable(config.sink.url).url)
    entry = newest(str(pages), "_delta_log/*.json")
    (add,) = added([json.loads(line) for line in entry.read_text().splitlines()])
    lost = entry if "json" in pattern else pages / add["path"]
    put(lost.parent, {lost.name: lost.read_bytes()}, {lost.name: state})
    if state == "missing" and lost == entry:
        assert recover(config), "the ledger has the batch, and the pages do not"
    else:
        assert any(str(lost) in each and "taken back" in each for each in recover(config))
    if state != "missing":
        assert (Path(config.sink.url) / KEPT / lost.parent.name / lost.name).exists()
    assert len(discover(config).files) == 4
    make_whole(config)


@pytest.mark.parametrize("hint", [b"", b'{"version": 99, "size": 1}', b"[]"])
def test_a_checkpoint_hint_that_lies_is_removed(config: StreamConfig, hint: bytes) -> None:
    compact(PagesTable(config.sink.url), 128)
    named = Path(PagesTable(config.sink.url).url) / "_delta_log" / "_last_checkpoint"
    named.write_bytes(hint)
    assert any("_last_checkpoint" in each for each in recover(config))
    assert not named.exists()
    make_whole(config)


def test_a_torn_checkpoint_is_removed_where_all_entries_are_there(config: StreamConfig) -> None:
    compact(PagesTable(config.sink.url), 128)
    checkpoint = newest(PagesTable(config.sink.url).url, "_delta_log/*.checkpoint.parquet")
    checkpoint.write_bytes(b"")
    assert any(str(checkpoint) in each for each in recover(config))
    assert discover(config).files == []
    make_whole(config)


@pytest.mark.parametrize("content", [None, b"", b"{"])
def test_the_newest_entry_of_a_checkpoint_is_filled_so_that_commits_go_on(
    config: StreamConfig, content: bytes | None
) -> None:
    compact(PagesTable(config.sink.url), 128)
    entry = newest(PagesTable(config.sink.url).url, "_delta_log/*.json")
    put(entry.parent, {entry.name: b""}, {entry.name: "missing"})
    if content is not None:
        entry.write_bytes(content)
    assert any("a checkpoint has it" in each for each in recover(config))
    assert discover(config).files == []
    (Path(config.source.url) / "later.pdf").write_bytes(b"y")
    make_whole(config)


def test_a_torn_checkpoint_that_is_needed_is_refused_with_a_remedy(config: StreamConfig) -> None:
    pages = PagesTable(config.sink.url)
    compact(pages, 128)
    newest(pages.url, "_delta_log/*.checkpoint.parquet").write_bytes(b"")
    (Path(pages.url) / "_delta_log" / f"{0:020}.json").unlink()
    with pytest.raises(EnvironmentFault, match="cannot be repaired") as raised:
        recover(config)
    assert "backup" in raised.value.remedy
    assert newest(pages.url, "_delta_log/*.checkpoint.parquet").exists(), "nothing was removed"


def test_a_merge_that_was_lost_gives_the_small_files_back(config: StreamConfig) -> None:
    pages = PagesTable(config.sink.url)
    assert compact(pages, 128).merged == 3
    for path in Path(pages.url).glob("_delta_log/*checkpoint*"):
        path.unlink()
    (merged,) = pages.open().file_uris()
    Path(merged).write_bytes(b"")
    assert any(merged in each for each in recover(config))
    assert discover(config).files == []
    make_whole(config)


@pytest.fixture
def backup(config: StreamConfig, tmp_path: Path) -> Path:
    """A copy of the pages; the sink goes on."""
    copied = tmp_path / "backup"
    shutil.copytree(PagesTable(config.sink.url).url, copied)
    return copied


def test_pages_restored_by_delta_are_noticed(config: StreamConfig) -> None:
    DeltaTable(PagesTable(config.sink.url).url).restore(1)
    (sentence,) = recover(config)
    assert "RESTORE" in sentence
    assert len(discover(config).files) == FILES - 5
    make_whole(config)


@pytest.mark.parametrize("more", [0, 1, 4])
def test_pages_restored_from_a_backup_are_noticed(
    config: StreamConfig, backup: Path, tmp_path: Path, more: int
) -> None:
    """Also if other commits have taken the numbers of the lost ones in the meantime."""
    pages = PagesTable(config.sink.url)
    for number in range(4):
        (tmp_path / "inbox" / f"later {number}.pdf").write_bytes(b"y" * (number + 1))
    drive(config.model_copy(update={"trigger": make_config(tmp_path, max_files_per_trigger=1).trigger}), "")
    shutil.rmtree(pages.url)
    shutil.copytree(backup, pages.url)
    ledger = LedgerTable(config.sink.url).url
    shutil.move(ledger, tmp_path / "ledger")
    one_each = config.model_copy(update={"trigger": make_config(tmp_path, max_files_per_trigger=1).trigger})
    for batch in plan(one_each)[:more]:
        commit(config, batch)
    shutil.move(tmp_path / "ledger", ledger)
    (sentence,) = recover(config)
    assert "made again" in sentence
    assert len(discover(config).files) == 4 - more
    make_whole(config)


def test_a_damaged_ledger_is_made_again(config: StreamConfig) -> None:
    newest(LedgerTable(config.sink.url).url, "*.parquet").write_bytes(b"PAR1")
    (sentence,) = recover(config)
    assert "ledger" in sentence
    assert discover(config).files == []
    make_whole(config)


def test_a_whole_sink_is_left_as_it_is(config: StreamConfig) -> None:
    before = contents(Path(config.sink.url))
    assert recover(config) == []
    assert contents(Path(config.sink.url)) == before
