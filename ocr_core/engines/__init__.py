"""The OCR engines, each behind one small Protocol."""
