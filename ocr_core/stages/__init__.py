"""The stages that a page passes: text layer, render, preprocess, detect, recognize, draw."""
