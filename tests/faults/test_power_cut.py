"""A few power cuts; `make faults` makes two hundred."""

from __future__ import annotations

import random

import pytest

from tests.faults.power_cut import one_round, why_not


@pytest.fixture(scope="module")
def ext4() -> str:
    reason = why_not("ext4")
    if reason:
        pytest.skip(reason)
    return "ext4"


@pytest.mark.parametrize(("table", "clean"), [("delta", True), ("parquet", True)])
def test_a_power_cut_loses_and_doubles_no_page(ext4: str, table: str, clean: bool) -> None:
    found = one_round(ext4, 8, random.Random(7), table=table, clean=clean, beside=None)
    assert found.is_right, found


def test_without_syncs_documents_are_lost(ext4: str) -> None:
    """Otherwise the other rounds would show nothing. Sometimes the disk is faster than the cut."""
    chance = random.Random(7)
    rounds = (one_round(ext4, 8, chance, table="delta", clean=True, beside=None, durable=False) for _ in range(5))
    assert any(found.gone for found in rounds)
