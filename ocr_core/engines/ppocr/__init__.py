"""PP-OCR (PaddleOCR's models, as ONNX): text detection and recognition that need no download.

The models come inside the `rapidocr` wheel; of that package only the files are used.
"""

ENGINE = "ppocr"
