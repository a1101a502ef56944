"""`python -m deployments.lost_runs`: lets the configured Prefect server mark killed runs as crashed.

`inkstream serve` does so by itself; with a work pool it is done once for a server.
"""

from flows.lost_runs import AUTOMATION, watch_lost_runs

if __name__ == "__main__":
    print(f"{AUTOMATION!r}: {'created' if watch_lost_runs() else 'there already'}")  # noqa: T201
