"""The values that steps pass to each other, and to workers in pickled form."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

from inkstream.tasks.model import Batch, FileVersion, PagesAgain, Redo, Unsettled

FILE = FileVersion("s3://b/a.pdf", "etag", 5, datetime(2026, 11, 21, tzinfo=UTC))


def test_a_version_is_identified_by_path_etag_and_size() -> None:
    later = FileVersion(FILE.path, FILE.etag, FILE.size, FILE.modified + timedelta(days=1))
    assert later.key == FILE.key == ("s3://b/a.pdf", "etag", 5)
    assert later != FILE


def test_values_survive_pickling() -> None:
    redo = Redo(3, {0: PagesAgain(9, (1, 2), "hash")})
    for value in (FILE, redo, Batch("main", "id", (FILE,), 2, redo, frozenset({FILE.path})), Unsettled("why")):
        assert pickle.loads(pickle.dumps(value)) == value
