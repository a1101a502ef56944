"""The baseline that orchestration is measured against: two processes and a loop.

Renders each page with pypdfium2 at 300 dpi gray and reads it through one open Tesseract handle per process.
No table, no limits, no retries, no boxes: just text files.

    python -m benchmarks.bare_loop --workers 2 --out FOLDER FILE.pdf ...

Prints one JSON object: `work_seconds`, from the first file handed out to the last text back.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

_handle: Any = None


def main() -> None:
    """Read every given file and write FOLDER/NAME.txt for it."""
    parser = argparse.ArgumentParser(description="Read PDFs with Tesseract in two processes and a loop.")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--tessdata", default=os.environ.get("TESSDATA_PREFIX", "/usr/share/tesseract-ocr/5/tessdata"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("files", type=Path, nargs="+")
    arguments = parser.parse_args()
    os.environ["OMP_THREAD_LIMIT"] = "1"
    arguments.out.mkdir(parents=True, exist_ok=True)
    # Fork before native libraries are loaded; each process opens its own handle.
    with multiprocessing.get_context("fork").Pool(arguments.workers, _open, (arguments.tessdata,)) as pool:
        pool.map(_ready, range(arguments.workers), chunksize=1)
        started = time.perf_counter()
        for path, text in pool.imap_unordered(_read, arguments.files, chunksize=1):
            (arguments.out / f"{path.name}.txt").write_text(text)
        seconds = time.perf_counter() - started
    print(json.dumps({"work_seconds": seconds}))


def _open(tessdata: str) -> None:
    global _handle  # noqa: PLW0603 - one handle per process is the point
    import tesserocr

    _handle = tesserocr.PyTessBaseAPI(path=tessdata, lang="eng", psm=tesserocr.PSM.AUTO, oem=tesserocr.OEM.LSTM_ONLY)


def _ready(_: int) -> None:
    """Wait, so that every process has opened its handle before the clock starts."""
    import pypdfium2  # noqa: F401 - loaded before the clock starts

    time.sleep(0.3)


def _read(path: Path) -> tuple[Path, str]:
    import pypdfium2

    texts = []
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            image = page.render(scale=300 / 72, grayscale=True).to_pil()
            _handle.SetImage(image)
            _handle.SetSourceResolution(300)
            texts.append(_handle.GetUTF8Text())
            page.close()
    return path, "\n".join(texts)


if __name__ == "__main__":
    main()
