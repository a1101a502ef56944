"""TrOCR: a transformer that turns the picture of a line into text (Li et al., 2021).

Models are safetensors folders on this machine, from the Hugging Face hub or the user's own. Nothing is downloaded, and
no code of a model is run.
"""

ENGINE = "trocr"
