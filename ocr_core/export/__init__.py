"""Page results in the formats that other programs read: plain text, JSON Lines, hOCR, ALTO, searchable PDF.

from inkstream import read_document
from inkstream.ocr_core.export.hocr import hocr

print(hocr(read_document("scan.pdf"), name="scan.pdf"))
"""
