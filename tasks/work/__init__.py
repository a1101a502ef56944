"""Page ranges on Dask, and their rows on the way back."""
