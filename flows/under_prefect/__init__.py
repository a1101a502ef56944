"""The Prefect flows, and what they need from a Prefect server."""
