"""Entry points: the command line, the loop that drains a stream, and the Prefect flows."""
