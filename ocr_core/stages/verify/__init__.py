"""Comparing a page's text layer with its picture."""
