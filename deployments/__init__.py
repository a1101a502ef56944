"""What Prefect's work pools and container images need to run Inkstream."""
