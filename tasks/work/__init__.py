"""Running page ranges on Dask, and collecting their rows."""
