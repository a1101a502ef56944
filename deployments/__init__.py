"""Running Inkstream for real: what Prefect's work pools and container images need."""
