"""Finding and opening PP-OCR's models."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import install_command

if TYPE_CHECKING:
    import onnxruntime

Kind = Literal["det", "rec"]

INSTALL = install_command("ppocr")
_NEEDED = ("rapidocr", "onnxruntime", "cv2", "spellchecker")


def find_model(kind: Kind, path: str | None = None) -> Path:
    """Return the ONNX file of a model.

    Args:
        kind: `det` finds text, `rec` reads it.
        path: The user's own model file; None for the model in the rapidocr wheel.

    Raises:
        EnvironmentFault: If the file or a required package is missing; the remedy says how to get it.
    """
    if path is not None:
        own = Path(path).expanduser()
        if not own.is_file():
            raise EnvironmentFault(
                f"there is no model {own}", "correct the path, or leave it out to use the packaged model"
            )
        return own
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise EnvironmentFault(
            f"the engine ppocr needs Python packages that are not installed: {', '.join(missing)}", INSTALL
        )
    spec = find_spec("rapidocr")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    found = sorted(file for folder in folders for file in Path(folder, "models").glob(f"*_{kind}_*.onnx"))
    if not found:
        raise EnvironmentFault("the installed rapidocr contains no PP-OCR models", f"{INSTALL} --force-reinstall")
    return found[-1]


@lru_cache(maxsize=4)
def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Open a model once per process, on one thread, because the workers already run in parallel.

    Raises:
        EnvironmentFault: If the file is not a model.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # pictures differ in size: the arena would only grow
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise EnvironmentFault(f"{path} cannot be opened as an ONNX model: {error}", INSTALL) from error
