"""`python -m inkstream.deployments.serve CONFIG`: `inkstream serve` for container images that start a module."""

import sys

from inkstream.flows.cli import app

if __name__ == "__main__":
    app(["serve", *sys.argv[1:]])
