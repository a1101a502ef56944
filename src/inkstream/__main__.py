"""`python -m inkstream`: the same as the command `inkstream`."""

from inkstream.flows.cli import main

main()
