"""Queries on a sink after a run: status, diff, export, and the files that retry and forget select."""
