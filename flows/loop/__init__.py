"""The loop that drains a stream: plan, process, commit. It runs with Prefect and without."""
