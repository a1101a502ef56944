from __future__ import annotations

from inkstream.ocr_core.documents.pdf_drawing import Drawing

WORD = (100.0, 100.0, 150.0, 110.0)


def test_text_is_hidden_by_a_picture_over_its_middle() -> None:
    over, beside = (120.0, 0.0, 200.0, 200.0), (130.0, 0.0, 200.0, 200.0)
    assert Drawing(0, 0, 0, False, (over,)).hides(WORD)
    assert not Drawing(0, 0, 0, False, (beside,)).hides(WORD)


def test_text_that_leaves_no_mark_is_hidden() -> None:
    assert Drawing(0, 0, 0, True, ()).hides(WORD)
