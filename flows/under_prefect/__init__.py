"""The flows that Prefect runs, and what they need of a Prefect server."""
