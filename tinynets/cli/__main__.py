"""`python -m tinynets.cli ...`: the same as `tinynets ...`."""

from tinynets.cli.entry import main

main()
