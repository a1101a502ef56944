"""Tesseract, through tesserocr or pytesseract."""
