"""What can be done to a running net, family by family; edits.py gathers it."""
