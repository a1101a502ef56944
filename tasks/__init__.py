"""The steps with side effects: sources, planning, Dask, the commit, sinks and queries."""
