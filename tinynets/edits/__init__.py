"""Edits: the operations on a network in training, by family; `registry.py` gathers them."""
