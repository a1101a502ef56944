"""PP-OCR (PaddleOCR's models, as ONNX): text detection and recognition without a download.

The models come in the `rapidocr` wheel; only its model files are used, not its code.
"""

ENGINE = "ppocr"
