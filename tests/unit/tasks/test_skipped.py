"""Counts of files that are not read."""

from __future__ import annotations

from inkstream.tasks.skipped import Skipped, SkipReason


def test_everything_is_counted_and_only_a_few_names_are_kept() -> None:
    skipped = Skipped("/in")
    for number in range(10_000):
        skipped.add(SkipReason.GLOB, f"/in/{number}.txt")
    skipped.add(SkipReason.UNREADABLE_FOLDER, "/in/a", "permission denied")
    assert skipped.to_json() == {"glob": 10_000, "unreadable_folder": 1}
    assert skipped.examples_json() == {
        "glob": ["0.txt", "1.txt", "2.txt"],
        "unreadable_folder": ["a (permission denied)"],
    }


def test_counts_add_up_and_examples_are_kept_once() -> None:
    first, second = Skipped(), Skipped()
    for name in "ab":
        first.add(SkipReason.HIDDEN, name)
    for name in "bcd":
        second.add(SkipReason.HIDDEN, name)
    first.merge(second)
    first.merge(Skipped())
    assert (first.to_json(), first.examples_json()) == ({"hidden": 5}, {"hidden": ["a", "b", "c"]})


def test_only_what_could_not_be_looked_at_counts_as_unreadable() -> None:
    for reason in SkipReason:
        skipped = Skipped()
        skipped.add(reason, "a")
        assert skipped.has_unreadable == (reason in (SkipReason.UNREADABLE, SkipReason.UNREADABLE_FOLDER))


def test_a_file_left_out_for_its_age_has_a_name_that_matched() -> None:
    skipped = Skipped()
    for reason in (SkipReason.GLOB, SkipReason.HIDDEN, SkipReason.OLD, SkipReason.UNSTABLE, SkipReason.FUTURE):
        skipped.add(reason, "a")
    assert skipped.matched == 3
