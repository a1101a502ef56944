"""The steps that touch the world: sources, planning, Dask, the commit, sinks and queries."""
