"""What `inkstream forget` asks."""

from __future__ import annotations

import io

import pytest

from inkstream.flows.console.forget import print_forget
from tests.integration.flows.conftest import SmallSink


class Terminal(io.StringIO):
    """A terminal with a person who answers."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "outcome"), [("n\n", "nothing was changed"), ("y\n", "forgot 1 file version")])
def test_text_is_forgotten_only_if_the_answer_is_yes(
    answer: str,
    outcome: str,
    own_sink: SmallSink,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    print_forget(own_sink.url, ["late.pdf"], None, dry_run=False, sure=False, as_json=False)
    shown = capsys.readouterr().out
    assert "/late.pdf: 1 row of stream main\n1 file version with 1 row\n" in shown
    assert "Forget them? Their text cannot be recovered." in shown
    assert outcome in shown
