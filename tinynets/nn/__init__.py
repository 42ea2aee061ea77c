"""Networks: what they are and what they compute."""
