"""Options of the engines that read one line at a time."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from inkstream.ocr_core.options.base import EngineOptions, Options


class LineOptions(Options):
    """How lines are cut out of the page for engines that read one at a time."""

    group_images: bool = Field(
        False,
        description="set the areas of a line side by side and read them as one picture; false: read them one by one",
    )
    border_width: float = Field(
        -1.0, ge=-1, description="pixels of the page kept around an area; -1: a twentieth of its height"
    )
    space_width: float = Field(
        -1.0, ge=-1, description="pixels between areas that are set side by side; -1: a third of the line's height"
    )


class PpocrOptions(EngineOptions):
    """Reading lines with PP-OCR."""

    model: str | None = Field(None, description="ONNX file of a PP-OCR recogniser; null: the one in the rapidocr wheel")
    scripts: tuple[str, ...] = Field(
        (),
        description="Unicode scripts whose letters may be read, such as latin or greek; [] = all that the model knows",
    )
    lexicon: tuple[str, ...] = Field(
        (),
        description="languages whose word lists help reading handwriting: ar, de, en, es, eu, fa, fr, it, lv, nl, pt, "
        "ru; [] = none, which suits print, numbers and names",
    )
    lexicon_weight: float = Field(
        0.4, ge=0, le=2, description="how much the word list counts against what the network sees"
    )
    views: int = Field(
        1,
        ge=1,
        le=3,
        description="number of widths at which each line is read; the reading that fits them best is kept",
    )
    beam_width: int = Field(32, ge=1, le=500, description="readings kept at each step of a search with the lexicon")


class TrocrOptions(EngineOptions):
    """Reading lines with TrOCR."""

    model: str = Field(
        "microsoft/trocr-small-handwritten",
        min_length=1,
        description="id of a downloaded TrOCR model of the Hugging Face hub, or a folder that save_pretrained wrote; "
        "only safetensors are loaded",
    )
    revision: str = Field("main", min_length=1, description="commit, tag or branch of the model on the hub")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where the model runs; auto: cuda if there is a GPU"
    )
    dtype: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto",
        description="number format of the model; auto: bfloat16 if the device supports it, which is faster; int8: "
        "8-bit weights for the image encoder and the rest as auto, faster still, but only on processors with VNNI",
    )
    batch_size: int = Field(
        16,
        ge=1,
        description="lines of similar length that the model reads together; try more on a GPU, where a batch that does "
        "not fit in memory is halved",
    )
    max_new_tokens: int = Field(64, ge=1, le=512, description="tokens after which a line is cut off")
    num_beams: int = Field(1, ge=1, le=20, description="readings followed at a time; 1: the likeliest token each time")
