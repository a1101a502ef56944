"""Options of the changes to a page's pixels before it is read."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from inkstream.ocr_core.options.base import Options


class BorderOptions(Options):
    """Removal of the dark rim that a scanner or a photograph leaves around the paper."""

    level: int = Field(
        100, ge=1, le=254, description="gray level below which pixels joined to the page's edge are border"
    )
    crop: bool = Field(True, description="cut the border off where it is straight; false: only paint it over")


class DenoiseOptions(Options):
    """Removal of dust and grain."""

    method: Literal["median", "despeckle"] = Field(
        "median",
        description="median: the median of each pixel and its eight neighbours, against salt-and-pepper noise; "
        "despeckle: remove dark specks up to max_area and change nothing else",
    )
    max_area: int = Field(
        8, ge=1, description="pixels of the largest speck; a full stop of 10 pt at 300 dpi has about 30 (despeckle)"
    )


class OrientOptions(Options):
    """Rotation of pages that lie on their side or upside down."""

    angle: Literal[0, 90, 180, 270] | None = Field(
        None, description="degrees clockwise to turn every page; null: as Tesseract's osd model finds it"
    )
    min_confidence: float = Field(
        5.0, ge=0, description="Tesseract's orientation confidence below which a page is left as it is; not 0-100"
    )


class DeskewOptions(Options):
    """Rotation of the page by a few degrees, so that its lines are level."""

    half_angle: float = Field(5.0, ge=0.1, le=45, description="degrees searched to either side")
    resolution: float = Field(
        0.1, ge=0.01, le=5, description="precision of the angle in degrees; a smaller skew is left"
    )
    angle: float | None = Field(
        None, ge=-45, le=45, description="degrees clockwise to turn every page; null: measured from its lines"
    )


class ScaleOptions(Options):
    """A change of the page's size in pixels, never beyond render.max_pixels."""

    method: Literal["text_height", "factor", "size"] = Field(
        "text_height",
        description="text_height: until the page's text has that height; factor: by that factor; "
        "size: to width and height",
    )
    text_height: int = Field(
        34, ge=8, le=200, description="font size of the text in pixels; its capitals have 0.7 of it (text_height)"
    )
    factor: float = Field(1.0, ge=0.01, le=10, description="new pixels per old one along a side (factor)")
    width: int | None = Field(None, ge=1, description="pixels; null: in proportion to height (size)")
    height: int | None = Field(None, ge=1, description="pixels; null: in proportion to width (size)")
    keep_ratio: bool = Field(False, description="fit the page into width x height instead of stretching it (size)")

    @model_validator(mode="after")
    def _numbers_belong_to_the_method(self) -> Self:
        sized = self.width is not None or self.height is not None
        if self.method == "size" and not sized:
            raise ValueError("method size needs width, height or both")
        if self.method != "size" and sized:
            raise ValueError(f"width and height belong to method size, not {self.method}; set method: size")
        if self.method != "factor" and self.factor != 1.0:
            raise ValueError(f"factor belongs to method factor, not {self.method}; set method: factor")
        return self


class BinarizeOptions(Options):
    """Conversion from gray to black and white."""

    method: Literal["threshold", "otsu", "mean", "gaussian", "sauvola", "wolf", "nick", "isauvola", "singh"] = Field(
        "threshold",
        description="threshold: one fixed level; otsu: one level from the histogram; others: local, a level for each "
        "pixel from the window around it",
    )
    threshold: int = Field(170, ge=0, le=255, description="gray level at or above which a pixel is white (threshold)")
    window: int = Field(75, ge=3, description="side of the local window, or block, in pixels (local methods)")
    offset: float = Field(
        10.0, ge=-255, le=255, description="gray levels by which black is darker than the window (mean, gaussian)"
    )
    k: float = Field(0.2, description="sensitivity (sauvola, wolf, nick, isauvola, singh)")


class PreprocessOptions(Options):
    """Changes to a page's pixels before it is read: the steps that are set, in this order."""

    border: BorderOptions | None = Field(None, description="1: remove dark borders; null: leave them")
    denoise: DenoiseOptions | None = Field(None, description="2: remove dust and grain; null: leave them")
    orient: OrientOptions | None = Field(None, description="3: turn upright, by quarters; null: leave it")
    deskew: DeskewOptions | None = Field(None, description="4: make lines level; null: leave them")
    scale: ScaleOptions | None = Field(None, description="5: change the size in pixels; null: keep it")
    binarize: BinarizeOptions | None = Field(None, description="6: make black and white; null: keep gray or colour")
