"""TrOCR: a transformer that reads a line as a picture and writes it as text (Li et al., 2021).

Models are safetensors folders on this machine, from the Hugging Face hub or of one's own; nothing is downloaded, and
no code that comes with a model is run.
"""

ENGINE = "trocr"
