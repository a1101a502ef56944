"""The steps of a page's journey: text layer, render, preprocess, detect, recognize, draw."""
