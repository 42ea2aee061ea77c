"""The screens that open over the lab: help, open, questions."""
