"""`python -m dam`: how supervised processes are spawned."""

from dam.cli import main

main()
