"""`python -m deployments.serve CONFIG [--every 5m]`: the same as `inkstream serve`, for images that start a module."""

import sys

from flows.cli import app

if __name__ == "__main__":
    app(["serve", *sys.argv[1:]])
