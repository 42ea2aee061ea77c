"""Understanding a network: explanations and comparisons, as plain data."""
