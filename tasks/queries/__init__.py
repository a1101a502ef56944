"""Questions to a sink after the run: status, diff, export, and what retry and forget choose from."""
