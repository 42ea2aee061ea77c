"""What can be done to a running net, family by family; `registry.py` gathers it."""
