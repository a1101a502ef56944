"""Small files from public bug reports of other tools have the right outcome, where they are present."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from inkstream import FailureKind, PageResult, PipelineOptions, read_document
from tests.places import shared

REPORTS = {path.name: path for path in shared("reports")}

INVOICE = (
    "Invoice number 4711 of 12 March Dear Mrs Halvorsen, we herewith confirm the delivery of forty boxes of cartridge "
    "paper and two rolls of bookbinding linen. Total amount due: 1,284.50 EUR Payment within thirty days."
)
FOOTER = " Scanned with CamScanner"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file must come out as.

    Attributes:
        texts: The words of each page, separated by single spaces.
        note: Part of a note on its first page.
        failure: Kind of the first page's failure.
    """

    texts: tuple[str, ...] = ()
    note: str = ""
    failure: FailureKind | None = None


OUTCOMES = {
    "01_scan_with_app_footer.pdf": Outcome((INVOICE + FOOTER, INVOICE + FOOTER)),
    "03_text_and_picture_of_a_table.pdf": Outcome(
        (
            "Minutes of the meeting The committee agreed upon the table that is shown in the picture below and "
            "adjourned. Budget 2027 Travel 12,400 Printing 8,950 Postage 1,310",
        )
    ),
    "05_filled_form.pdf": Outcome(
        ("Surname Brznkowski Date of birth 1971-04-23 Amount claimed 3,870.00 I agree to the terms",)
    ),
    "06_note_and_paid_stamp.pdf": Outcome(
        (
            "Delivery note 2201 Forty boxes of cartridge paper Two rolls of bookbinding linen Only thirty boxes "
            "received, see claim 88 PAID 14 MARCH 2026",
        )
    ),
    "08_xfa_please_wait.pdf": Outcome(failure=FailureKind.UNSUPPORTED),
    "09_portfolio.pdf": Outcome(
        ("For the best experience, open this PDF portfolio in a viewer that can show portfolios.",),
        "1 embedded document that was not read",
    ),
    "10_hyphenated_paragraph.pdf": Outcome(
        (
            "The committee discussed the environ- mental consequences of the new regu- lation and agreed that well- "
            "known methods were sufficient for the present purpose.",
        )
    ),
    "11_ligatures_mapped_to_null.pdf": Outcome(
        (
            "The office confirmed the flexible file profile for the first five affinities and floor profits which "
            "were finally defined by the fleet officer.",
        )
    ),
    "13_shifted_unicode_map.pdf": Outcome((INVOICE,), "does not match the picture"),
    "16_spread_cut_by_cropbox.pdf": Outcome(
        (
            "Left page of the ledger Halvorsen owes 120.00 Carried forward 120.00",
            "Right page of the ledger Brznkowski owes 75.50 Carried forward 75.50",
        )
    ),
    "18_hidden_layer.pdf": Outcome(
        ("Delivery note 2201 Forty boxes of cartridge paper Two rolls of bookbinding linen",),
        "4 words of the text layer cannot be seen",
    ),
    "20_page_drawn_twice.pdf": Outcome((INVOICE,)),
    "21_undecodable_scan_with_frame.pdf": Outcome(failure=FailureKind.CORRUPT),
    "23_only_attachment_encrypted.pdf": Outcome(
        ("Account statement 12 of March Balance brought forward 1,284.50",), "encrypted embedded document"
    ),
    "24_bad_old_ocr_layer.pdf": Outcome((INVOICE,), "earlier OCR"),
    "25_userunit_10_scan.pdf": Outcome((INVOICE,)),
    "26_tiff_with_thumbnail.tif": Outcome(
        ("First page of the deed Parcel 118 of Weststadt", "Second page of the deed Signed before the notary")
    ),
    "28_white_on_transparent.png": Outcome(("White text on transparent ground Ticket 88214 gate 7",)),
}


@pytest.mark.skipif(not REPORTS, reason="the files of bug reports are not here")
@pytest.mark.parametrize("name", OUTCOMES)
def test_a_reported_file_has_the_right_outcome(name: str) -> None:
    outcome = OUTCOMES[name]
    pages: list[PageResult] = list(read_document(REPORTS[name], PipelineOptions()))
    first = pages[0]
    if outcome.failure is not None:
        assert first.failure is not None
        assert first.failure.kind is outcome.failure
        return
    assert tuple(" ".join((page.text or "").split()) for page in pages) == outcome.texts
    assert any(outcome.note in note for note in first.notes) or not outcome.note, first.notes


@pytest.mark.skipif(not REPORTS, reason="the files of bug reports are not here")
def test_a_letter_beyond_the_bmp_is_kept() -> None:
    (page,) = read_document(REPORTS["15_math_letters_beyond_bmp.pdf"], PipelineOptions())
    assert page.text is not None
    assert page.text.count("\U0001d465") == 2
    assert "\ufffd" not in page.text
