"""Options of what happens to a page's pixels before anything is read."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from inkstream.ocr_core.options.base import Options


class BorderOptions(Options):
    """Takes away the dark rim that a scanner or a photograph leaves around the paper."""

    level: int = Field(100, ge=1, le=254, description="gray level below which what touches the page's edge is border")
    crop: bool = Field(True, description="cut the border off where it is straight; false: only paint it over")


class DenoiseOptions(Options):
    """Takes away dust and grain."""

    method: Literal["median", "despeckle"] = Field(
        "median",
        description="median: of each pixel and its eight neighbours, against salt-and-pepper noise; "
        "despeckle: dark specks up to max_area vanish, all else stays as it is",
    )
    max_area: int = Field(
        8, ge=1, description="pixels of the largest speck; a full stop of 10 pt at 300 dpi has about 30 (despeckle)"
    )


class OrientOptions(Options):
    """Turns pages that lie on their side or head."""

    angle: Literal[0, 90, 180, 270] | None = Field(
        None, description="degrees clockwise to turn every page; null: as Tesseract's osd data finds it"
    )
    min_confidence: float = Field(
        5.0, ge=0, description="Tesseract's orientation confidence below which a page is left as it is; not 0-100"
    )


class DeskewOptions(Options):
    """Turns the page so that its lines are level."""

    half_angle: float = Field(5.0, ge=0.1, le=45, description="degrees searched to either side")
    resolution: float = Field(0.1, ge=0.01, le=5, description="degrees to which the skew is found; less is left alone")
    angle: float | None = Field(
        None, ge=-45, le=45, description="degrees clockwise to turn every page; null: as its lines say"
    )


class ScaleOptions(Options):
    """More or fewer pixels; never more than render.max_pixels."""

    method: Literal["text_height", "factor", "size"] = Field(
        "text_height",
        description="text_height: so that the page's text has that height; factor: times factor; "
        "size: to width and height",
    )
    text_height: int = Field(
        34, ge=8, le=200, description="pixels of the text's font size; its capitals have 0.7 of it (text_height)"
    )
    factor: float = Field(1.0, ge=0.01, le=10, description="new pixels for each old one, along a side (factor)")
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
    """Gray to black and white."""

    method: Literal["threshold", "otsu", "mean", "gaussian", "sauvola", "wolf", "nick", "isauvola", "singh"] = Field(
        "threshold",
        description="threshold: one fixed level; otsu: one level from the histogram; others: local, by a window",
    )
    threshold: int = Field(170, ge=0, le=255, description="gray level at or above which a pixel is white (threshold)")
    window: int = Field(75, ge=3, description="side of the local window, or block, in pixels (local methods)")
    offset: float = Field(
        10.0, ge=-255, le=255, description="gray levels a black pixel is darker than its window (mean, gaussian)"
    )
    k: float = Field(0.2, description="sensitivity (sauvola, wolf, nick, isauvola, singh)")


class PreprocessOptions(Options):
    """What happens to a page's pixels before anything is read: the steps that are given, in this order."""

    border: BorderOptions | None = Field(None, description="1: take away dark borders; null: leave them")
    denoise: DenoiseOptions | None = Field(None, description="2: take away dust and grain; null: leave them")
    orient: OrientOptions | None = Field(None, description="3: turn by quarters to upright; null: it is upright")
    deskew: DeskewOptions | None = Field(None, description="4: make lines level; null: they are")
    scale: ScaleOptions | None = Field(None, description="5: more or fewer pixels; null: as they are")
    binarize: BinarizeOptions | None = Field(None, description="6: black and white; null: gray or colour as rendered")
