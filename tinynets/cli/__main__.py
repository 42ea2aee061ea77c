"""`python -m tinynets.cli ...`: the same as `tinynets ...`."""

from tinynets.cli import main

main()
