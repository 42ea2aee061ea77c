"""Measures for understanding a network: explanations and comparisons, as plain data."""
