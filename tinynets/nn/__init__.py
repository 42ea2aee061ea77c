"""Neural networks and what they compute."""
